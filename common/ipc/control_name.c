#include "common/ipc/control_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"

#define PREFIX "@stint-"
#define LIST_MAX_BYTES ((size_t)16 << 20)

/* FNV-1a: a name may be longer than an address. Who answers is asked for its file anyway. */
static uint64_t hash(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h;
}

/* "-DEVICE-INODE-HASH"; NULL as control_name. */
static char *tail_of(const char *conf)
{
    CLEANUP_FREE char *directory = sys_dirname(conf);
    const char *slash = strrchr(conf, '/');
    struct stat st;

    if (stat(directory, &st) != 0)
        return NULL;
    return xasprintf("-%jx-%jx-%016" PRIx64, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
        hash(slash == NULL ? conf : slash + 1));
}

char *control_name(const char *conf, uid_t uid)
{
    CLEANUP_FREE char *tail = tail_of(conf);

    return tail == NULL ? NULL : xasprintf(PREFIX "%u%s", (unsigned)uid, tail);
}

bool control_name_uid(const char *name, uid_t *ret)
{
    char *end;
    unsigned long uid;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    uid = strtoul(name + strlen(PREFIX), &end, 10);
    if (end == name + strlen(PREFIX) || *end != '-')
        return false;
    *ret = (uid_t)uid;
    return true;
}

static size_t add_uid(uid_t *uids, size_t len, uid_t uid)
{
    for (size_t i = 0; i < len; i++)
        if (uids[i] == uid)
            return len;
    uids[len] = uid;
    return len + 1;
}

static size_t believed(const char *conf, const char *directory, uid_t uids[CONTROL_NAMES_MAX])
{
    CLEANUP_FREE char *beside = sys_dirname(conf);
    const char *owned[] = {conf, beside, directory};
    size_t len = add_uid(uids, 0, geteuid());
    struct stat st;

    len = add_uid(uids, len, 0);
    for (size_t i = 0; i < 3; i++)
        if (owned[i] != NULL && stat(owned[i], &st) == 0)
            len = add_uid(uids, len, st.st_uid);
    return len;
}

size_t control_names(const char *conf, const char *directory, char *ret[CONTROL_NAMES_MAX])
{
    uid_t uids[CONTROL_NAMES_MAX];
    size_t len = believed(conf, directory, uids), names = 0;

    for (size_t i = 0; i < len; i++) {
        char *name = control_name(conf, uids[i]);

        if (name != NULL)
            ret[names++] = name;
    }
    return names;
}

bool control_name_other(const char *conf, uid_t *ret)
{
    CLEANUP(buf_fini) struct buf list = BUF_INIT;
    CLEANUP_FREE char *tail = tail_of(conf);

    if (tail == NULL || sys_read_file("/proc/net/unix", LIST_MAX_BYTES, &list, NULL) != RC_OK)
        return false;
    for (const char *at = buf_str(&list); (at = strstr(at, " " PREFIX)) != NULL; at++) {
        const char *dash = strchr(at + strlen(" " PREFIX), '-');

        if (dash != NULL && strncmp(dash, tail, strlen(tail)) == 0 && control_name_uid(at + 1, ret))
            return true;
    }
    return false;
}
