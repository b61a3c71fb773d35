#include "common/store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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

static void add_path(struct buf *out, const char *path)
{
    if (is_plain(path))
        buf_addf(out, " %s", path);
    else
        add_word(out, path);
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
        add_path(&files, name);
    }
    return is_wrong ? xasprintf("chown -h %u:%u%s", (unsigned)home.st_uid, (unsigned)home.st_gid,
                          buf_str(&files))
                    : NULL;
}

char *place_find_names(const char *path)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    CLEANUP(buf_fini) struct buf words = BUF_INIT;
    struct stat st;

    if (lstat(path, &st) || !S_ISREG(st.st_mode) || st.st_nlink < 2)
        return NULL;
    add_path(&words, dir);
    buf_adds(&words, " -xdev -samefile");
    add_path(&words, path);
    return xasprintf("find%s", buf_str(&words));
}

/* Who opens it by another name has a log and locks of its own, which are kept by name. */
static enum rc check_names(const char *path, const struct stat *st, struct err *err)
{
    CLEANUP_FREE char *find = st->st_nlink > 1 ? place_find_names(path) : NULL;
    if (!find)
        return RC_OK;
    return err_set(err, RC_INVALID,
        "database %s has %ju names (hard links); its log belongs to the name, not to the file: two "
        "programs that open it by two names destroy it. Find the other ones: %s (or another "
        "directory of this file system), and remove them: rm NAME",
        path, (uintmax_t)st->st_nlink, find);
}

static enum rc check_file(const char *path, const struct stat *st, struct err *err)
{
    if (S_ISLNK(st->st_mode))
        return err_set(err, RC_INVALID,
            "database %s is a symbolic link; name the file itself in [pool] database", path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, RC_INVALID, "database %s is not a regular file", path);
    enum rc rc = check_names(path, st, err);
    uid_t me = geteuid();
    if (rc || me == 0)
        return rc;
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

/* Its owner before its name, where the file system has files without a name: nobody finds it half
 * made. False: it must be made the other way. */
static bool create_nameless(int at, const char *name, const struct stat *home, bool *ret_is_made)
{
    CLEANUP_FD int fd = openat(at, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char self[32];
    if (fd < 0 || fchown(fd, home->st_uid, home->st_gid))
        return false;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    *ret_is_made = linkat(AT_FDCWD, self, at, name, AT_SYMLINK_FOLLOW) == 0;
    return *ret_is_made || errno == EEXIST;
}

static enum rc refuse_directory(const char *path, const struct stat *home, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    CLEANUP(buf_fini) struct buf word = BUF_INIT;
    add_path(&word, dir);
    if (home->st_uid == geteuid())
        return err_set(err, RC_INVALID,
            "database %s: its directory may not be written by its owner, this user; type: "
            "chmod u+wx%s   (or the file system is read-only)",
            path, buf_str(&word));
    return err_set(err, RC_INVALID,
        "database %s: its directory belongs to user %u, and this is user %u, who may not write "
        "there; give it a directory of its own (database = PATH in [pool]), or, if this one is "
        "the pool's alone, as root: chown %u%s",
        path, (unsigned)home->st_uid, (unsigned)geteuid(), (unsigned)geteuid(), buf_str(&word));
}

/* What root makes in the directory of another user is that user's: the pool runs as that user. The
 * directory is held open meanwhile, so that no other one takes its place; the file is new, so that
 * nothing that was there before is given away. */
static enum rc create(const char *path, struct stat *home, bool *ret_is_given, struct err *err)
{
    const char *name = strrchr(path, '/');
    CLEANUP_FREE char *dir = sys_dirname(path);
    CLEANUP_FD int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *last = name ? name + 1 : path;

    if (at < 0 || fstat(at, home)) {
        int errnum = errno;
        return err_sys(err, errnum, "database %s: directory %s", path, dir);
    }
    bool is_theirs = geteuid() == 0 && home->st_uid != 0;
    if (is_theirs && create_nameless(at, last, home, ret_is_given))
        return RC_OK;
    CLEANUP_FD int fd = openat(at, last, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int errnum = errno;
    if (fd < 0 && errnum == EEXIST) /* somebody was faster */
        return RC_OK;
    if (fd < 0 && errnum == EACCES)
        return refuse_directory(path, home, err);
    if (fd < 0)
        return err_sys(err, errnum, "cannot create database %s", path);
    *ret_is_given = is_theirs && fchown(fd, home->st_uid, home->st_gid) == 0;
    if (*ret_is_given || !is_theirs)
        return RC_OK;
    errnum = errno;
    (void)unlinkat(at, last, 0);
    return err_sys(err, errnum, "cannot give database %s to the owner of its directory", path);
}

/* SQLite makes its log there. */
static enum rc check_directory(const char *path, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    struct stat home;
    int errnum = faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
    if (errnum == EROFS)
        return err_set(err, RC_INVALID,
            "database %s lies on a file system that is mounted for reading only; as root, see why "
            "(dmesg), then: mount -o remount,rw \"$(stat -c %%m %s)\"",
            path, dir);
    if (errnum != EACCES || stat(dir, &home))
        return RC_OK;
    return refuse_directory(path, &home, err);
}

/* SQLite would begin a new database and throw the log away, with all that only the log has. */
static enum rc refuse_orphan_log(const char *path, struct err *err)
{
    return err_set(err, RC_INVALID,
        "database %s is gone, but its log %s-wal is there: the newest work is in it alone. Was it "
        "moved? Put it back beside its log; or a backup, without the log: rm -f %s-wal %s-shm; cp "
        "BACKUP %s; or, to begin anew without what was there: rm -f %s-wal %s-shm",
        path, path, path, path, path, path, path);
}

enum rc place_check(const struct store_options *opts, struct err *err)
{
    const char *path = opts->path;
    struct stat st, home;
    bool is_given = false;
    if (opts->is_copy)
        return RC_OK;
    int errnum = lstat(path, &st) ? errno : 0;
    if (errnum == ENOENT && place_has_log(path))
        return refuse_orphan_log(path, err);
    if (errnum == ENOENT && (opts->is_read_only || opts->is_old))
        return err_set(err, RC_NOTFOUND, "no database at %s", path);
    enum rc rc = check_fs(path, err);
    if (rc)
        return rc;
    if (errnum == 0)
        rc = check_file(path, &st, err);
    if (errnum == 0)
        return rc || opts->is_read_only ? rc : check_directory(path, err);
    if (errnum != ENOENT)
        return err_sys(err, errnum, "database %s", path);
    rc = create(path, &home, &is_given, err);
    if (is_given && opts->hooks.on_given)
        opts->hooks.on_given(opts->hooks.ctx, (int64_t)home.st_uid);
    return rc;
}

bool place_refuses(const char *path, struct err *err)
{
    struct stat st;
    if (check_directory(path, err))
        return true;
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 || errno != EACCES ||
        stat(path, &st))
        return false;
    CLEANUP(buf_fini) struct buf word = BUF_INIT;
    add_path(&word, path);
    (void)err_set(err, RC_INVALID,
        "database %s may not be read and written by user %u, this one; its owner, user %u, types: "
        "chmod u+rw%s",
        path, (unsigned)geteuid(), (unsigned)st.st_uid, buf_str(&word));
    return true;
}

bool place_has_log(const char *path)
{
    struct stat st;
    CLEANUP_FREE char *log = xasprintf("%s-wal", path);
    return lstat(log, &st) == 0 && st.st_size > LOG_HEADER_BYTES;
}
