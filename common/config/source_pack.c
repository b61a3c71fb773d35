/* The half of source.h that packs sources into one block and takes them out again. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/config/secrets.h"
#include "common/config/source.h"

/* Packed form: the magic, the numbers of sources and secrets, then texts, each as its length and
 * its bytes with a final NUL: the directory, name and text of each source, reference and value of
 * each secret. Only what was accepted is packed: no errors. One host, so native numbers. */
#define PACK_MAGIC "stintcf2"
#define PACK_MAGIC_LEN 8
#define SOURCES_MAX 65536
#define SECRETS_MAX 65536

static void pack_number(struct buf *out, uint64_t n)
{
    buf_add(out, &n, sizeof(n));
}

static void pack_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    pack_number(out, len);
    buf_add(out, text, len + 1);
}

void config_sources_pack(const struct config_sources *sources, struct buf *out)
{
    buf_add(out, PACK_MAGIC, PACK_MAGIC_LEN);
    pack_number(out, sources->len);
    pack_number(out, sources->secrets_len);
    pack_text(out, sources->directory);
    for (size_t i = 0; i < sources->len; i++) {
        pack_text(out, sources->list[i].name);
        pack_text(out, sources->list[i].text);
    }
    for (size_t i = 0; i < sources->secrets_len; i++) {
        pack_text(out, sources->secrets[i].reference);
        pack_text(out, sources->secrets[i].value ? sources->secrets[i].value : "");
    }
}

struct unpacker {
    const char *p;
    size_t left;
};

static bool unpack_number(struct unpacker *u, uint64_t *ret)
{
    if (u->left < sizeof(*ret))
        return false;
    memcpy(ret, u->p, sizeof(*ret));
    u->p += sizeof(*ret);
    u->left -= sizeof(*ret);
    return true;
}

static char *unpack_text(struct unpacker *u)
{
    uint64_t len;
    if (!unpack_number(u, &len) || len >= u->left || strnlen(u->p, len + 1) != len)
        return NULL;
    char *text = xstrndup(u->p, len);
    u->p += len + 1;
    u->left -= len + 1;
    return text;
}

/* Two texts; false: not there. */
static bool unpack_pair(struct unpacker *u, char **ret_name, char **ret_text)
{
    CLEANUP_FREE char *name = unpack_text(u);
    char *text = name ? unpack_text(u) : NULL;
    if (!text)
        return false;
    *ret_name = TAKE_PTR(name);
    *ret_text = text;
    return true;
}

static bool unpack_source(struct unpacker *u, struct config_sources *to)
{
    struct config_source source = {.name = NULL};
    if (!unpack_pair(u, &source.name, &source.text))
        return false;
    to->list = xrealloc(to->list, (to->len + 1) * sizeof(*to->list));
    to->list[to->len++] = source;
    return true;
}

static bool unpack_secret(struct unpacker *u, struct config_sources *to)
{
    struct config_secret secret = {.reference = NULL};
    if (!unpack_pair(u, &secret.reference, &secret.value))
        return false;
    if (!*secret.value) { /* none is empty: it was not known to who packed it */
        free(TAKE_PTR(secret.value));
        secret.is_unknown = true;
        secret.error = xasprintf(
            "the secret %s is not known here: only the pool itself is given it", secret.reference);
    }
    to->secrets = xrealloc(to->secrets, (to->secrets_len + 1) * sizeof(*to->secrets));
    to->secrets[to->secrets_len++] = secret;
    return true;
}

static bool unpack_all(struct unpacker *u, struct config_sources *to)
{
    uint64_t sources, secrets;
    bool is_good = unpack_number(u, &sources) && sources <= SOURCES_MAX;
    is_good = is_good && unpack_number(u, &secrets) && secrets <= SECRETS_MAX;
    is_good = is_good && (to->directory = unpack_text(u)) != NULL;
    for (uint64_t i = 0; is_good && i < sources; i++)
        is_good = unpack_source(u, to);
    for (uint64_t i = 0; is_good && i < secrets; i++)
        is_good = unpack_secret(u, to);
    secrets_sort(to);
    return is_good && u->left == 0;
}

enum rc config_sources_unpack(
    const char *data, size_t len, struct config_sources *ret, struct err *err)
{
    struct config_sources sources = {.directory = NULL};
    struct unpacker u = {.p = data + PACK_MAGIC_LEN, .left = len - PACK_MAGIC_LEN};
    if (len < PACK_MAGIC_LEN || memcmp(data, PACK_MAGIC, PACK_MAGIC_LEN) != 0 ||
        !unpack_all(&u, &sources)) {
        config_sources_fini(&sources);
        return err_set(err, RC_PROTO, "the packed configuration is damaged");
    }
    *ret = sources;
    return RC_OK;
}

enum rc config_sources_from_fd(int fd, struct config_sources *ret, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int errnum = errno;
        return err_sys(err, errnum, "there is no configuration on descriptor %d", fd);
    }
    size_t size = st.st_size > 0 ? (size_t)st.st_size : 0;
    while (data.len < size) {
        ssize_t n = pread(fd, buf_room(&data, size - data.len), size - data.len, (off_t)data.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, RC_SYS, "cannot read the configuration on descriptor %d", fd);
        buf_wrote(&data, (size_t)n);
    }
    return config_sources_unpack(buf_str(&data), data.len, ret, err);
}
