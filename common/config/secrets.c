#include "common/config/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/ini_reader.h"
#include "common/config/options.h"

#define FILE_PREFIX "@file:"
#define CRED_PREFIX "@cred:"
#define CRED_DIRECTORY "CREDENTIALS_DIRECTORY"

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool secret_is_reference(const char *value)
{
    return begins_with(value, FILE_PREFIX) || begins_with(value, CRED_PREFIX);
}

static int by_reference(const void *a, const void *b)
{
    const struct config_secret *x = a, *y = b;
    return strcmp(x->reference, y->reference);
}

void secrets_sort(struct config_sources *sources)
{
    if (sources->secrets_len > 0)
        qsort(sources->secrets, sources->secrets_len, sizeof(*sources->secrets), by_reference);
}

const struct config_secret *secret_find(const struct config_sources *sources, const char *reference)
{
    size_t from = 0, until = sources->secrets_len;
    while (from < until) {
        size_t middle = from + (until - from) / 2;
        int order = strcmp(reference, sources->secrets[middle].reference);
        if (order == 0)
            return &sources->secrets[middle];
        if (order < 0)
            until = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* As PostgreSQL has it for keys: what root owns, a group may read. */
static mode_t forbidden_bits(const struct stat *st)
{
    bool is_roots = st->st_uid == 0 && geteuid() != 0;
    return is_roots ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO;
}

/* A file that is named from elsewhere, or that a group is meant to read, may be the system's:
 * /etc/shadow. To change its mode is no advice for root. */
static bool is_own(const char *name, const struct stat *st)
{
    return name[0] != '/' && !strstr(name, "..") && st->st_uid == geteuid() &&
           st->st_gid == getegid();
}

/* name: as the configuration has it. */
static enum rc check_file(int fd, const char *path, const char *name, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot look at %s", path);
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, RC_INVALID, "%s is no regular file; a secret is the text of one", path);
    if (st.st_mode & forbidden_bits(&st) && !is_own(name, &st))
        return err_set(err, RC_INVALID,
            "%s may be read or written by others, so it is no secret; write the secret into a file "
            "of its own that only its owner may read (mode 600), and name that one",
            path);
    if (st.st_mode & forbidden_bits(&st))
        return err_set(err, RC_INVALID,
            "%s may be read or written by others, so it is no secret; type: chmod 600 %s", path,
            path);
    return RC_OK;
}

static void strip_newline(struct buf *text)
{
    if (text->len > 0 && text->data[text->len - 1] == '\n')
        text->data[--text->len] = '\0';
    if (text->len > 0 && text->data[text->len - 1] == '\r')
        text->data[--text->len] = '\0';
}

static enum rc check_text(const struct buf *text, const char *path, struct err *err)
{
    if (text->len == 0)
        return err_set(err, RC_INVALID, "%s is empty; write the secret into it", path);
    if (strlen(buf_str(text)) != text->len)
        return err_set(err, RC_INVALID,
            "%s holds a NUL byte, which no variable of an environment can have", path);
    return RC_OK;
}

static enum rc read_file(const char *path, const char *name, struct buf *ret, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int errnum = errno;
        if (errnum == ENOENT || errnum == ENOTDIR)
            return err_set(err, RC_NOTFOUND,
                "there is no %s; write the secret there and type: chmod 600 %s", path, path);
        if (errnum == EACCES)
            return err_set(err, RC_SYS,
                "the secret %s may not be read by user %ld; type the command as the pool's user: "
                "sudo -u USER stint …",
                path, (long)geteuid());
        return err_sys(err, errnum, "cannot open the secret %s", path);
    }
    enum rc rc = check_file(fd, path, name, err);
    if (rc != RC_OK)
        return rc;
    rc = sys_read_fd(fd, SECRET_MAX_BYTES + 2, ret, err); /* the newline is none of it */
    strip_newline(ret);
    if (rc == RC_LIMIT || (rc == RC_OK && ret->len > SECRET_MAX_BYTES))
        return err_set(
            err, RC_INVALID, "%s is larger than 64K, the most that a secret may have", path);
    return rc == RC_OK ? check_text(ret, path, err) : err_prefix(err, rc, "%s", path);
}

static enum rc read_credential(
    struct config_secret *secret, const char *name, struct buf *ret, struct err *err)
{
    const char *directory = sys_getenv(CRED_DIRECTORY);
    if (!*name || strchr(name, '/') || *name == '.')
        return err_set(err, RC_INVALID,
            "\"%.80s\" is no name of a credential; expected @cred:NAME, as in LoadCredential=",
            name);
    secret->is_unknown = !directory || !*directory;
    if (secret->is_unknown)
        return err_set(err, RC_NOTFOUND,
            "there are no credentials: $" CRED_DIRECTORY
            " is not set; systemd sets it for a unit with LoadCredential=%.80s:PATH",
            name);
    CLEANUP_FREE char *path = sys_path_join(directory, name);
    return read_file(path, path, ret, err);
}

static enum rc read_secret(const struct config_sources *sources, struct config_secret *secret,
    struct buf *ret, struct err *err)
{
    const char *what = secret->reference + strlen(FILE_PREFIX);
    if (begins_with(secret->reference, CRED_PREFIX))
        return read_credential(secret, what, ret, err);
    if (!*what)
        return err_set(err, RC_INVALID, "@file: needs a path; expected @file:PATH");
    CLEANUP_FREE char *path = sys_path_join(sources->directory, what);
    return read_file(path, what, ret, err);
}

static void read_value(const struct config_sources *sources, struct config_secret *secret)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    struct err err = {""};
    if (read_secret(sources, secret, &text, &err) == RC_OK)
        secret->value = buf_take(&text);
    else
        secret->error = xstrdup(err.text);
    if (text.data)
        explicit_bzero(text.data, text.len);
}

static void add_reference(struct config_sources *sources, const char *reference)
{
    size_t n = sources->secrets_len++;
    if ((n & (n - 1)) == 0) /* full at every power of two */
        sources->secrets = xrealloc(sources->secrets, (n ? 2 * n : 1) * sizeof(*sources->secrets));
    sources->secrets[n] = (struct config_secret){.reference = xstrdup(reference)};
}

/* Many keys may name one. */
static void drop_doubles(struct config_sources *sources)
{
    size_t kept = 0;
    for (size_t i = 0; i < sources->secrets_len; i++) {
        struct config_secret *secret = &sources->secrets[i];
        if (kept > 0 && strcmp(sources->secrets[kept - 1].reference, secret->reference) == 0)
            free(secret->reference);
        else
            sources->secrets[kept++] = *secret;
    }
    sources->secrets_len = kept;
}

static void read_source(struct config_sources *sources, const struct config_source *source)
{
    struct problems ignored = {.out = NULL};
    struct ini_document document;
    ini_document_read(&document, source->name, source->text, &ignored);
    for (size_t s = 0; s < document.len; s++) {
        const struct ini_section *section = &document.sections[s];
        for (size_t i = 0; i < section->pairs_len; i++) {
            const struct ini_pair *pair = &section->pairs[i];
            if (begins_with(pair->key, ENV_PREFIX) && secret_is_reference(pair->value))
                add_reference(sources, pair->value);
        }
    }
    ini_document_fini(&document);
}

void secrets_read(struct config_sources *sources)
{
    for (size_t i = 0; i < sources->len; i++) {
        /* Most have none, and are not read twice for it. */
        if (strstr(sources->list[i].text, FILE_PREFIX) ||
            strstr(sources->list[i].text, CRED_PREFIX))
            read_source(sources, &sources->list[i]);
    }
    secrets_sort(sources);
    drop_doubles(sources);
    for (size_t i = 0; i < sources->secrets_len; i++)
        read_value(sources, &sources->secrets[i]);
}
