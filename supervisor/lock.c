#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sys.h"
#include "common/config/places.h"
#include "common/config/same_file.h"
#include "common/ipc/control.h"
#include "common/ipc/control_name.h"

#define LOOK_AGAIN_MS 20
#define ASK_MS 250

/* The process that took the flock, by the kernel's own list; 0: not found there. It may be dead
 * already while its heirs hold on. */
static pid_t find_holder(int fd)
{
    CLEANUP(buf_fini) struct buf locks = BUF_INIT;
    char wanted[64];
    struct stat st;
    const char *line;

    if (fstat(fd, &st) != 0 || sys_read_file("/proc/locks", 1 << 20, &locks, NULL) != RC_OK)
        return 0;
    (void)snprintf(wanted, sizeof wanted, " %02x:%02x:%ju ", major(st.st_dev), minor(st.st_dev),
        (uintmax_t)st.st_ino);
    for (line = buf_str(&locks); line != NULL; line = strchr(line, '\n')) {
        const char *end, *at;
        int pid;

        line += *line == '\n' ? 1 : 0;
        end = strchr(line, '\n');
        at = strstr(line, wanted);
        if (at != NULL && (end == NULL || at < end) && strstr(line, "FLOCK") < at &&
            sscanf(line, "%*d: FLOCK %*s %*s %d", &pid) == 1)
            return (pid_t)pid;
    }
    return 0;
}

/* What a pool that answers says of itself. */
struct answering {
    int pid; /* 0: it does not say */
    bool is_stopping;
};

/* True: a pool answers on this socket (be it that we may not ask). */
static bool is_answering(const char *socket_path, struct answering *ret)
{
    CLEANUP(buf_fini) struct buf answer = BUF_INIT;
    enum rc rc = control_ask(socket_path, "ping", ASK_MS, &answer, NULL);
    const char *at = strstr(buf_str(&answer), "\"pid\":");

    ret->pid = at == NULL ? 0 : atoi(at + 6);
    ret->is_stopping = strstr(buf_str(&answer), "\"state\":\"stopping\"") != NULL;
    return rc == RC_OK || rc == RC_INVALID;
}

static enum rc say_running(const char *directory, const struct answering *pool, struct err *err)
{
    if (pool->is_stopping)
        return err_set(err, RC_BUSY,
            "the pool in %s (pid %d) is stopping: what runs is finished first; start again when it "
            "has ended; at once: stint stop --now",
            directory, pool->pid);
    return err_set(err, RC_BUSY,
        "a pool is already running in %s (pid %d); look at it: stint status   end it: stint stop",
        directory, pool->pid);
}

static void describe_holder(int fd, char *out, size_t cap)
{
    pid_t holder = find_holder(fd);

    if (holder > 0 && sys_proc_state(holder) != 0)
        (void)snprintf(out, cap, "process %d", (int)holder);
    else if (holder > 0)
        (void)snprintf(
            out, cap, "the last processes of the pool of process %d, which is dead", (int)holder);
    else
        (void)snprintf(out, cap, "a process that /proc/locks does not name");
}

static enum rc wait_for_lock(
    int fd, const char *directory, const char *socket_path, int64_t wait_ms, struct err *err)
{
    int64_t until = clock_mono_ns() + wait_ms * NS_PER_MS;
    bool is_told = false;
    char holder[128];

    for (;;) {
        struct answering pool;

        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return RC_OK;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(err, errno, "cannot lock %s", directory);
        if (is_answering(socket_path, &pool)) {
            pool.pid = pool.pid != 0 ? pool.pid : (int)find_holder(fd);
            return say_running(directory, &pool, err);
        }
        describe_holder(fd, holder, sizeof holder);
        if (clock_mono_ns() >= until)
            return err_set(err, RC_BUSY,
                "the lock on %s is still held by %s, and nobody answers on %s; end it, then start "
                "again",
                directory, holder, socket_path);
        if (!is_told)
            log_msg(LOG_LEVEL_WARN, "lock.wait", "waiting up to %" PRId64 " s for %s",
                wait_ms / 1000, holder);
        is_told = true;
        (void)poll(NULL, 0, LOOK_AGAIN_MS); /* a flock gives no event to wait for */
    }
}

char *lock_name_of_file(const struct config *config, const char *config_path)
{
    return places_by_environment(config) ? NULL : control_name(config_path, geteuid());
}

/* Of the file, and its database (NULL: it does not say); false: another file's, or nobody answers.
 * Caller frees. */
static bool is_pool_of(const char *config_path, const char *socket_path, char **ret_database)
{
    CLEANUP(buf_fini) struct buf answer = BUF_INIT;
    char *file, *line = NULL;

    *ret_database = NULL;
    if (control_ask(socket_path, "file", ASK_MS, &answer, NULL) != RC_OK || answer.len < 2)
        return false;
    file = strtok_r(answer.data, "\n", &line);
    if (file == NULL || !config_is_same_file(config_path, file))
        return false;
    line = strtok_r(NULL, "\n", &line);
    *ret_database = line == NULL ? NULL : xstrdup(line);
    return true;
}

static enum rc check_place(const struct config *config, const char *config_path,
    const char *socket_path, bool is_own, struct err *err)
{
    CLEANUP_FREE char *database = NULL;
    struct answering pool = {.pid = 0};

    if (!is_pool_of(config_path, socket_path, &database))
        return RC_OK;
    /* The socket that we would take, and our database: the lock says it better. */
    if (is_own && (database == NULL || strcmp(database, config->pool.database) == 0))
        return RC_DONE;
    (void)is_answering(socket_path, &pool);
    return err_set(err, RC_BUSY,
        "a pool of %s is already running (pid %d) with the database %s; the file names another "
        "database or socket now. Look at it: stint status   end it: stint stop",
        config_path, pool.pid, database == NULL ? "that it was started with" : database);
}

enum rc lock_check_place(const char *socket_path, struct err *err)
{
    CLEANUP_FREE char *directory = sys_dirname(socket_path);
    const unsigned me = (unsigned)geteuid();
    struct stat st;

    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES ||
        stat(directory, &st) != 0)
        return RC_OK;
    if (st.st_uid == me)
        return err_set(err, RC_SYS, "%s may not be written by user %u, its owner: chmod u+wx %s",
            directory, me, directory);
    return err_set(err, RC_SYS,
        "the control socket belongs into %s, which is user %u's, and this is user %u; run it as "
        "its owner: sudo -u '#%u' …; or name other places in [pool]",
        directory, (unsigned)st.st_uid, me, (unsigned)st.st_uid);
}

enum rc lock_check_file(const struct config *config, const char *config_path, struct err *err)
{
    CLEANUP_FREE char *beside = sys_path_join(config->directory, "stint.sock");
    char *names[CONTROL_NAMES_MAX];
    size_t len;
    enum rc rc;

    if (places_by_environment(config))
        return RC_OK;
    len = control_names(config_path, config->pool.directory, names);
    rc = check_place(config, config_path, config->pool.socket, true, err);
    if (rc == RC_OK && strcmp(beside, config->pool.socket) != 0)
        rc = check_place(config, config_path, beside, false, err);
    for (size_t i = 0; i < len; i++) {
        if (rc == RC_OK)
            rc = check_place(config, config_path, names[i], false, err);
        free(names[i]);
    }
    return rc == RC_DONE ? RC_OK : rc;
}

enum rc lock_take(
    const char *directory, const char *socket_path, int64_t wait_ms, int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum rc rc;

    if (fd < 0) {
        int e = errno;

        (void)err_sys(err, e, "cannot open the database's directory %s", directory);
        return e == ENOENT || e == ENOTDIR ? RC_INVALID : RC_SYS;
    }
    rc = wait_for_lock(fd, directory, socket_path, wait_ms, err);
    if (rc == RC_OK)
        *ret_fd = TAKE_FD(fd);
    return rc;
}

enum rc pid_file_write(const char *path, struct err *err)
{
    CLEANUP_FREE char *draft = xasprintf("%s.new", path);
    CLEANUP_FD int fd = -1;
    char text[32];
    int len = snprintf(text, sizeof text, "%d\n", (int)getpid());

    (void)unlink(draft); /* of a start that was killed here */
    fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || sys_write_all(fd, text, (size_t)len) != RC_OK || rename(draft, path) != 0) {
        int e = errno;

        (void)unlink(draft);
        return err_sys(err, e, "cannot write the pid file %s", path);
    }
    return RC_OK;
}
