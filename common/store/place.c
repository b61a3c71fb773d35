#include "common/store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"

#define FS_FUSE 0x65735546UL
#define LOG_HEADER_BYTES 32 /* synced before anything is written behind it */

const char *place_network_fs(unsigned long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } table[] = {
        {0x6969UL, "NFS"},
        {0x517bUL, "SMB"},
        {0xff534d42UL, "CIFS"},
        {0xfe534d42UL, "SMB2"},
        {0x00c36400UL, "Ceph"},
        {0x5346414fUL, "AFS"},
        {0x6b414653UL, "AFS"},
        {0x73757245UL, "Coda"},
        {0x564cUL, "NCP"},
        {0x0bd00bd0UL, "Lustre"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].magic == (magic & 0xffffffffUL))
            return table[i].name;
    }
    return NULL;
}

/* A FUSE file system may be local or not; the mount table has its true name. */
static bool is_network_fuse(const char *dir, char *ret_name, size_t cap)
{
    static const char *const names[] = {"fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "fuse.rclone",
        "fuse.davfs", "fuse.curlftpfs", "fuse.ceph", "fuse.gcsfuse", "fuse.juicefs"};
    struct stat st;
    CLEANUP(buf_fini) struct buf table = BUF_INIT;
    if (stat(dir, &st) || sys_read_file("/proc/self/mountinfo", 1 << 20, &table, NULL))
        return false;
    char dev[32];
    (void)snprintf(dev, sizeof dev, " %u:%u ", major(st.st_dev), minor(st.st_dev));
    const char *line = strstr(buf_str(&table), dev);
    const char *type = line ? strstr(line, " - ") : NULL;
    if (!type)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(type + 3, names[i], strlen(names[i])) == 0) {
            (void)snprintf(ret_name, cap, "%s", names[i]);
            return true;
        }
    }
    return false;
}

static enum rc check_fs(const char *path, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    struct statfs fs;
    if (statfs(dir, &fs)) {
        int errnum = errno;
        return err_sys(err, errnum, "database %s: directory %s", path, dir);
    }
    char fuse[32];
    const char *name = place_network_fs((unsigned long)fs.f_type);
    if (!name && (unsigned long)fs.f_type == FS_FUSE && is_network_fuse(dir, fuse, sizeof fuse))
        name = fuse;
    if (name)
        return err_set(err, RC_INVALID,
            "database %s lies on a network file system (%s), where its locks do not hold; put it "
            "on "
            "a local disk: database = PATH in [pool]",
            path, name);
    return RC_OK;
}

/* As a shell takes it. */
static void add_word(struct buf *out, const char *word)
{
    buf_adds(out, " '");
    for (; *word; word++) {
        if (*word == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, *word);
    }
    buf_addc(out, '\'');
}

static bool is_plain(const char *word)
{
    return word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "/._-+:,@")] == '\0';
}

char *place_cure(const char *path)
{
    static const char *const names[] = {"", "-wal", "-shm"};
    CLEANUP_FREE char *dir = sys_dirname(path);
    CLEANUP(buf_fini) struct buf files = BUF_INIT;
    struct stat home, st;
    bool is_wrong = false;

    if (stat(dir, &home) || home.st_uid == 0) /* root opens all of them */
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        CLEANUP_FREE char *name = xasprintf("%s%s", path, names[i]);
        if (lstat(name, &st) || !S_ISREG(st.st_mode))
            continue;
        is_wrong |= st.st_uid != home.st_uid;
        if (is_plain(name))
            buf_addf(&files, " %s", name);
        else
            add_word(&files, name);
    }
    return is_wrong ? xasprintf("chown -h %u:%u%s", (unsigned)home.st_uid, (unsigned)home.st_gid,
                          buf_str(&files))
                    : NULL;
}

static enum rc check_file(const char *path, const struct stat *st, struct err *err)
{
    if (S_ISLNK(st->st_mode))
        return err_set(err, RC_INVALID,
            "database %s is a symbolic link; name the file itself in [pool] database", path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, RC_INVALID, "database %s is not a regular file", path);
    uid_t me = geteuid();
    if (me == 0)
        return RC_OK;
    CLEANUP_FREE char *cure = place_cure(path);
    if (cure && st->st_uid == me) /* only its log is not */
        return err_set(err, RC_INVALID,
            "the log of database %s does not belong to its owner, user %u, who cannot open it; "
            "stop what has it open, then, as root: %s",
            path, (unsigned)me, cure);
    if (cure)
        return err_set(err, RC_INVALID,
            "database %s belongs to user %u, but this is user %u; it should belong to the owner of "
            "its directory; as root: %s",
            path, (unsigned)st->st_uid, (unsigned)me, cure);
    if (me != st->st_uid)
        return err_set(err, RC_INVALID,
            "database %s belongs to user %u, but this is user %u; run it as its owner: "
            "sudo -u '#%u' …",
            path, (unsigned)st->st_uid, (unsigned)me, (unsigned)st->st_uid);
    return RC_OK;
}

/* What root makes in the directory of another user is that user's: the pool runs as that user. The
 * directory is held open meanwhile, so that no other one takes its place; the file is new, so that
 * nothing that was there before is given away. */
static enum rc create(const char *path, struct err *err)
{
    const char *name = strrchr(path, '/');
    CLEANUP_FREE char *dir = sys_dirname(path);
    CLEANUP_FD int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *last = name ? name + 1 : path;
    struct stat home;

    if (at < 0 || fstat(at, &home)) {
        int errnum = errno;
        return err_sys(err, errnum, "database %s: directory %s", path, dir);
    }
    CLEANUP_FD int fd = openat(at, last, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int errnum = errno;
    if (fd < 0 && errnum == EEXIST) /* somebody was faster */
        return RC_OK;
    if (fd < 0)
        return err_sys(err, errnum, "cannot create database %s", path);
    if (geteuid() != 0 || home.st_uid == 0 || fchown(fd, home.st_uid, home.st_gid) == 0)
        return RC_OK;
    errnum = errno;
    (void)unlinkat(at, last, 0);
    return err_sys(err, errnum, "cannot give database %s to the owner of its directory", path);
}

enum rc place_check(const char *path, bool wants_create, struct err *err)
{
    struct stat st;
    int errnum = lstat(path, &st) ? errno : 0;
    if (errnum == ENOENT && !wants_create)
        return err_set(err, RC_NOTFOUND, "no database at %s", path);
    enum rc rc = check_fs(path, err);
    if (rc)
        return rc;
    if (errnum == 0)
        return check_file(path, &st, err);
    if (errnum != ENOENT)
        return err_sys(err, errnum, "database %s", path);
    return create(path, err);
}

bool place_has_log(const char *path)
{
    struct stat st;
    CLEANUP_FREE char *log = xasprintf("%s-wal", path);
    return lstat(log, &st) == 0 && st.st_size > LOG_HEADER_BYTES;
}
