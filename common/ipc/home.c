#include "common/ipc/home.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"

#define PLACE_MAX 1024

/* Where the locked directory is now; "": the kernel does not say, or nowhere. */
static void find_directory(int lock_fd, char ret[static PLACE_MAX])
{
    char self[32];
    struct stat st;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", lock_fd);
    ssize_t len = readlink(self, ret, PLACE_MAX - 1);
    ret[len > 0 ? len : 0] = '\0';
    if (stat(ret, &st) != 0)
        ret[0] = '\0';
}

static enum rc say_moved(
    int lock_fd, const char *directory, bool is_another, const char *database, struct err *err)
{
    char now[PLACE_MAX];
    find_directory(lock_fd, now);
    return err_set(err, RC_GONE,
        "%s is not this pool's directory any more: it was %s%s while the pool ran%s. Move it back, "
        "then: stint run; or name the new place of %s in [pool] database, and start the pool there",
        directory, now[0] != '\0' ? "moved to " : "removed", now,
        is_another ? ", and another was put there" : "", database);
}

enum rc home_check_directory(int lock_fd, const char *database, struct err *err)
{
    CLEANUP_FREE char *directory = sys_dirname(database);
    struct stat locked, here;
    if (fstat(lock_fd, &locked) != 0)
        return RC_OK; /* nothing to compare with */
    bool is_there = stat(directory, &here) == 0;
    if (is_there && locked.st_dev == here.st_dev && locked.st_ino == here.st_ino)
        return RC_OK;
    return say_moved(lock_fd, directory, is_there, database, err);
}

static enum rc say_replaced(const char *database, bool is_there, struct err *err)
{
    if (!is_there)
        return err_set(err, RC_GONE,
            "database %s was removed while the pool ran; the pool ends and writes nothing more. "
            "Put it back, or a backup without an old log beside it: rm -f %s-wal %s-shm; cp BACKUP "
            "%s; then: stint db check, stint run",
            database, database, database, database);
    return err_set(err, RC_GONE,
        "database %s was replaced by another file while the pool ran; the pool ends and does not "
        "touch the new one. If that is to stay, the log of the old one must not be read with it: "
        "rm -f %s-wal %s-shm; then: stint db check, stint run. The next time first: stint stop",
        database, database, database);
}

static enum rc check_file(struct pool_mem *mem, const char *database, struct err *err)
{
    uint64_t inode = atomic_load(&mem->database_inode);
    struct stat st;
    if (inode == 0)
        return RC_OK;
    bool is_there = lstat(database, &st) == 0;
    if (is_there && st.st_dev == atomic_load(&mem->database_device) && st.st_ino == inode)
        return RC_OK;
    return say_replaced(database, is_there, err);
}

enum home_loss home_check(int lock_fd, struct pool_mem *mem, const char *database, struct err *err)
{
    if (home_check_directory(lock_fd, database, err) != RC_OK)
        return HOME_MOVED;
    return check_file(mem, database, err) == RC_OK ? HOME_THERE : HOME_REPLACED;
}

void home_take_file(struct pool_mem *mem, const char *database)
{
    struct stat st;
    if (atomic_load(&mem->database_inode) != 0 || lstat(database, &st) != 0)
        return;
    atomic_store(&mem->database_device, st.st_dev);
    atomic_store(&mem->database_inode, st.st_ino); /* last: whoever sees it sees both */
}

const char *home_format(uint64_t device, uint64_t inode, char ret[static HOME_TEXT_MAX])
{
    ret[0] = '\0';
    if (inode != 0)
        (void)snprintf(ret, HOME_TEXT_MAX, "%" PRIu64 "-%" PRIu64, device, inode);
    return ret;
}
