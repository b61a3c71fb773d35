#include "common/base/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

#define FACILITY_DAEMON 3

static enum log_target target;
static char path[PATH_MAX];
static int fd = STDERR_FILENO; /* of the file or the socket; −1: not connected */
static bool is_journal;
static _Atomic uint32_t *generation; /* NULL: nobody is followed */
static uint32_t generation_seen;

static const int syslog_levels[] = {
    [LOG_LEVEL_ERROR] = 3,
    [LOG_LEVEL_WARN] = 4,
    [LOG_LEVEL_INFO] = 6,
    [LOG_LEVEL_DEBUG] = 7,
};

/* systemd says which stream is the journal's; a descriptor 2 that somebody redirected is not. */
static bool is_read_by_journal(void)
{
    const char *stream = sys_getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;

    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, own) == 0;
}

/* 0640 whatever the umask: the group is there to read logs. */
static int create_file(const char *name)
{
    int made = open(name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

    if (made >= 0)
        (void)fchmod(made, 0640);
    return made;
}

static int open_file(const char *name)
{
    const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    CLEANUP_FD int opened = open(name, flags);
    struct stat st;

    if (opened < 0 && errno == ENOENT)
        opened = create_file(name);
    if (opened < 0 && errno == EEXIST) /* another process of the pool was faster */
        opened = open(name, flags);
    if (opened < 0)
        return -1;
    if (fstat(opened, &st) != 0 || !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return TAKE_FD(opened);
}

static enum rc explain(int errnum, struct err *err)
{
    if (errnum == EINVAL || errnum == ELOOP || errnum == ENXIO)
        return err_set(err, RC_SYS, "the log file %s is not a regular file; name another", path);
    return err_sys(err, errnum,
        "cannot open the log file %s; its directory must be there, and "
        "writable for the pool's user",
        path);
}

/* Not connected is no failure: a syslog daemon may come later. */
static void connect_syslog(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return;
    (void)close(fd);
    fd = -1;
}

static void take(enum log_target to, const char *name)
{
    target = to;
    generation = NULL;
    if (name == NULL)
        name = to == LOG_TARGET_SYSLOG ? LOG_SYSLOG_PATH : "";
    (void)snprintf(path, sizeof path, "%s", name);
    is_journal = to == LOG_TARGET_STDERR && is_read_by_journal();
}

enum rc log_target_open(enum log_target to, const char *name, struct err *err)
{
    take(to, name);
    switch (to) {
    case LOG_TARGET_STDERR:
        fd = STDERR_FILENO;
        break;
    case LOG_TARGET_SYSLOG:
        connect_syslog();
        break;
    case LOG_TARGET_FILE:
        fd = open_file(path);
        if (fd < 0) {
            int errnum = errno;

            target = LOG_TARGET_STDERR;
            fd = STDERR_FILENO;
            return explain(errnum, err);
        }
        break;
    }
    return RC_OK;
}

enum rc log_target_reopen(struct err *err)
{
    CLEANUP_FD int opened = -1;

    if (target != LOG_TARGET_FILE)
        return RC_OK;
    opened = open_file(path);
    if (opened < 0)
        return explain(errno, err);
    /* The number stays: children know it, and in a child it is 2, where crashes are reported too.
     */
    if (dup3(opened, fd, fd == STDERR_FILENO ? 0 : O_CLOEXEC) < 0)
        return explain(errno, err);
    return RC_OK;
}

bool log_target_is_stderr(void)
{
    return target == LOG_TARGET_STDERR;
}

int log_target_child_fd(void)
{
    return target == LOG_TARGET_FILE ? fd : STDERR_FILENO;
}

void log_target_follow(enum log_target to, const char *name, _Atomic uint32_t *word)
{
    take(to, name);
    fd = STDERR_FILENO;
    if (to == LOG_TARGET_SYSLOG)
        connect_syslog();
    if (to != LOG_TARGET_FILE)
        return;
    /* The word may have changed since we were born with the file: the first look opens it. */
    generation_seen = atomic_load(word) - 1;
    generation = word;
}

void log_target_look(void)
{
    uint32_t now;

    if (generation == NULL)
        return;
    now = atomic_load(generation);
    if (now == generation_seen)
        return;
    generation_seen = now;
    (void)!log_target_reopen(NULL); /* the supervisor says so when that fails */
}

size_t log_syslog_head(enum log_level level, int64_t wall_s, int pid, char *out, size_t cap)
{
    /* Not strftime: its month would follow the locale. */
    static const char months[12][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)wall_s;
    struct tm tm = {0};
    int n;

    (void)localtime_r(&t, &tm);
    n = snprintf(out, cap,
        "<%d>%s %2d %02d:%02d:%02d stint[%d]: ", FACILITY_DAEMON * 8 + syslog_levels[level],
        months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, pid);
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t log_target_begin(enum log_level level, char *out, size_t cap)
{
    char ts[32];
    int n;

    if (target == LOG_TARGET_SYSLOG)
        return log_syslog_head(level, clock_wall_ms() / 1000, getpid(), out, cap);
    if (is_journal)
        n = snprintf(out, cap, "<%d>", syslog_levels[level]);
    else
        n = snprintf(out, cap, "ts=%s ", clock_format_wall(clock_wall_ms(), ts, sizeof ts));
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

/* A daemon that was started anew listens on another socket of that name. */
static bool send_to_syslog(const char *line, size_t len)
{
    for (int i = 0; i < 2; i++) {
        if (fd >= 0 && send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (fd >= 0 && errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
            return false;
        if (fd >= 0)
            (void)close(fd);
        connect_syslog();
    }
    return false;
}

void log_target_write(const char *line, size_t len)
{
    int to = target == LOG_TARGET_SYSLOG ? STDERR_FILENO : fd;
    ssize_t n;

    log_target_look();
    if (target == LOG_TARGET_SYSLOG && send_to_syslog(line, len - 1))
        return;
    do
        n = write(to, line, len);
    while (n < 0 && errno == EINTR);
}
