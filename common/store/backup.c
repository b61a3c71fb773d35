#include "common/store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/store/internal.h"
#include "common/store/look.h"
#include "common/store/place.h"

#define PARTIAL ".partial-"
#define RANDOM_LEN 6

/* SQLite's companions of a database file. */
static const char *const companions[] = {"-wal", "-shm", "-journal"};

static void remove_copy(const char *path)
{
    (void)unlink(path);
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        CLEANUP_FREE char *name = xasprintf("%s%s", path, companions[i]);
        (void)unlink(name);
    }
}

static bool is_same_file(const char *path, const struct stat *st)
{
    struct stat other;
    return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* A name with a write-ahead log beside it is a database that somebody has open, or that died: a
 * file put there would be read together with a log that is not its own. */
static enum rc check_unused(const char *path, struct err *err)
{
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        CLEANUP_FREE char *name = xasprintf("%s%s", path, companions[i]);
        if (access(name, F_OK) == 0)
            return err_set(err, RC_INVALID,
                "%s lies beside %s: that is a database in use; choose another name", name, path);
    }
    return RC_OK;
}

static bool is_companion_name(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        size_t tail = strlen(companions[i]);
        if (len > tail && strcmp(path + len - tail, companions[i]) == 0)
            return true;
    }
    return false;
}

/* A hard link to one of them has a name of its own. */
static bool is_companion_of(const char *database, const struct stat *st)
{
    for (size_t i = 0; i < sizeof companions / sizeof companions[0]; i++) {
        CLEANUP_FREE char *name = xasprintf("%s%s", database, companions[i]);
        if (is_same_file(name, st))
            return true;
    }
    return false;
}

/* Only an older backup, or an empty file, is there to be replaced: not a configuration, a key. The
 * path is not our own database's, whose locks a close would drop. */
static enum rc check_replaceable(const char *path, struct err *err)
{
    static const char magic[] = "SQLite format 3";
    char head[sizeof magic] = "";
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot look into %s", path);
    }
    ssize_t n = pread(fd, head, sizeof head, 0);
    if (n == 0 || (n == (ssize_t)sizeof head && memcmp(head, magic, sizeof magic) == 0))
        return RC_OK;
    return err_set(err, RC_INVALID,
        "%s is no database, so no older backup either: it stays as it is; choose another name",
        path);
}

static enum rc check_place(
    const struct store *store, const struct backup_options *opts, struct err *err)
{
    struct stat st;
    if (!*opts->path)
        return err_set(err, RC_INVALID, "the backup's name is empty; say a FILE");
    if (is_companion_name(opts->path))
        return err_set(err, RC_INVALID,
            "%s is named like a part of a database that SQLite keeps beside it; choose another "
            "name, like stint-backup.db",
            opts->path);
    if (lstat(opts->path, &st))
        return errno == ENOENT ? check_unused(opts->path, err)
                               : err_sys(err, errno, "cannot look at %s", opts->path);
    if (S_ISDIR(st.st_mode))
        return err_set(err, RC_INVALID, "%s is a directory; name a file in it: %s/stint-backup.db",
            opts->path, opts->path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, RC_INVALID, "%s is no regular file; choose another name", opts->path);
    if (is_companion_of(store->path, &st))
        return err_set(
            err, RC_INVALID, "%s is a part of the database; choose another name", opts->path);
    if (is_same_file(store->path, &st))
        return err_set(
            err, RC_INVALID, "%s is the database itself; choose another name", opts->path);
    if (!opts->may_replace)
        return err_set(err, RC_INVALID, "%s exists; replace it by --force, or choose another name",
            opts->path);
    enum rc rc = check_unused(opts->path, err);
    return rc ? rc : check_replaceable(opts->path, err);
}

/* A copy that was killed is still there under a name that only we make: FILE.partial-XXXXXX. */
static bool is_partial_name(const char *name, const char *base)
{
    size_t len = strlen(base), mark = strlen(PARTIAL);
    return strncmp(name, base, len) == 0 && strncmp(name + len, PARTIAL, mark) == 0 &&
           strlen(name + len + mark) == RANDOM_LEN && !strpbrk(name + len + mark, "-./");
}

/* Its maker holds a lock on it as long as it lives; so do we until it is gone, lest a maker that
 * has not got so far takes it for its own. Where there is no such lock, or it may be another
 * machine's, it stays. */
static void remove_if_abandoned(const char *path)
{
    struct stat st;
    struct statfs fs;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        fstatfs(fd, &fs) == 0 && !place_network_fs((unsigned long)fs.f_type) &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        remove_copy(path);
}

static void remove_abandoned(const char *path)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    const char *slash = strrchr(path, '/');
    DIR *entries = opendir(dir);
    for (struct dirent *e; entries && (e = readdir(entries));) {
        CLEANUP_FREE char *name = sys_path_join(dir, e->d_name);
        if (is_partial_name(e->d_name, slash ? slash + 1 : path))
            remove_if_abandoned(name);
    }
    if (entries)
        (void)closedir(entries);
}

/* On a network file system such a lock is one of the kind that SQLite takes, and would be in its
 * way. */
static void claim(int fd)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) == 0 && !place_network_fs((unsigned long)fs.f_type))
        (void)flock(fd, LOCK_EX); /* others hold it only to remove it */
}

/* Mode 0600, empty; ours as long as *ret_fd is open. Caller frees and closes. */
static enum rc make_file(const char *path, char **ret, int *ret_fd, struct err *err)
{
    struct stat st;
    for (;;) {
        CLEANUP_FREE char *name = xasprintf("%s" PARTIAL "XXXXXX", path);
        CLEANUP_FD int fd = mkostemp(name, O_CLOEXEC);
        if (fd < 0) {
            int errnum = errno;
            return err_sys(err, errnum, "cannot write beside %s", path);
        }
        claim(fd);
        if (fstat(fd, &st) == 0 && st.st_nlink == 0) /* another one found it before the lock */
            continue;
        *ret = TAKE_PTR(name);
        *ret_fd = TAKE_FD(fd);
        return RC_OK;
    }
}

/* What a write beyond the limit of this session is: SQLite only says "I/O error". */
static enum rc say_limit(const struct store *store, const char *path, enum rc rc, struct err *err)
{
    struct rlimit limit;
    int64_t db_bytes = 0, wal_bytes = 0;
    look_sizes(store->path, &db_bytes, &wal_bytes);
    if (rc != RC_STORE || getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY ||
        (rlim_t)(db_bytes + wal_bytes) <= limit.rlim_cur)
        return rc;
    return err_sys(err, EFBIG,
        "cannot write %s: no file may be larger than %llu bytes here (ulimit -f); raise that limit",
        path, (unsigned long long)limit.rlim_cur);
}

static enum rc copy(
    struct store *store, const struct backup_options *opts, const char *to, struct err *err)
{
    struct copy_watch watch = {opts->goes_on, opts->ctx};
    enum rc rc = store->driver->snapshot(store->db, err);
    if (rc == RC_OK)
        rc = store->driver->copy(store->db, to, &watch, err);
    store->driver->rollback(store->db);
    return rc;
}

static void cleanup_store(struct store **store)
{
    store_close(*store);
}

/* The copy opens as a database of ours, and is sound. */
static enum rc verify(const char *path, struct err *err)
{
    CLEANUP(cleanup_store) struct store *made = NULL;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct store_options opts = {.path = path, .is_read_only = true, .is_copy = true};
    enum rc rc = store_open(&opts, &made, err);
    if (rc == RC_OK)
        rc = store_check_schema(made, err);
    if (rc == RC_OK)
        rc = store_verify(made, &problems, err);
    if (rc)
        return err_prefix(err, rc, "the copy cannot be checked");
    if (problems.len == 0)
        return RC_OK;
    return err_set(err, RC_INVALID,
        "the copy is not sound, so the database is not either: %.*s; see: stint db check",
        (int)strcspn(buf_str(&problems), "\n"), buf_str(&problems));
}

static enum rc sync_path(const char *path, int flags, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd >= 0 && fsync(fd) == 0)
        return RC_OK;
    int errnum = errno;
    return err_sys(err, errnum, "cannot bring %s to the disk", path);
}

/* On disk first, then under its name, then the name on disk. */
static enum rc publish(
    const char *made, const struct backup_options *opts, int64_t *ret_bytes, struct err *err)
{
    struct stat st;
    enum rc rc = sync_path(made, O_NOFOLLOW, err);
    if (rc)
        return rc;
    if (stat(made, &st) ||
        renameat2(AT_FDCWD, made, AT_FDCWD, opts->path, opts->may_replace ? 0 : RENAME_NOREPLACE)) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot give the backup its name %s", opts->path);
    }
    CLEANUP_FREE char *dir = sys_dirname(opts->path);
    *ret_bytes = st.st_size;
    return sync_path(dir, O_DIRECTORY, err);
}

enum rc store_backup(
    struct store *store, const struct backup_options *opts, int64_t *ret_bytes, struct err *err)
{
    CLEANUP_FREE char *made = NULL;
    CLEANUP_FD int fd = -1;
    enum rc rc = check_place(store, opts, err);
    if (rc == RC_OK) {
        remove_abandoned(opts->path);
        rc = make_file(opts->path, &made, &fd, err);
    }
    if (rc)
        return rc;
    rc = say_limit(store, opts->path, copy(store, opts, made, err), err);
    if (rc == RC_OK)
        rc = verify(made, err);
    if (rc == RC_OK && !opts->goes_on(opts->ctx, 1, 1))
        rc = RC_AGAIN;
    if (rc == RC_OK)
        rc = publish(made, opts, ret_bytes, err);
    remove_copy(made); /* published or not: what is left of it */
    return rc;
}
