#include "common/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

const char *sys_getenv(const char *name)
{
    return getenv(name);
}

enum rc sys_pipe(int ret_fds[2], bool is_nonblock, struct err *err)
{
    if (pipe2(ret_fds, O_CLOEXEC | (is_nonblock ? O_NONBLOCK : 0)) == 0)
        return RC_OK;
    int errnum = errno;
    return err_sys(err, errnum, "cannot make a pipe");
}

enum rc sys_pipe_from_child(int ret_fds[2], struct err *err)
{
    enum rc rc = sys_pipe(ret_fds, false, err);
    if (rc == RC_OK && fcntl(ret_fds[0], F_SETFL, O_NONBLOCK) != 0) {
        int errnum = errno;
        (void)close(ret_fds[0]);
        (void)close(ret_fds[1]);
        return err_sys(err, errnum, "cannot make a pipe");
    }
    return rc;
}

enum rc sys_seqpacket_pair(int ret_fds[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) == 0)
        return RC_OK;
    int errnum = errno;
    return err_sys(err, errnum, "cannot make a socket pair");
}

enum rc sys_set_nonblock(int fd, bool is_on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return RC_SYS;
    flags = is_on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) == 0 ? RC_OK : RC_SYS;
}

enum rc sys_set_cloexec(int fd, bool is_on)
{
    return fcntl(fd, F_SETFD, is_on ? FD_CLOEXEC : 0) == 0 ? RC_OK : RC_SYS;
}

enum rc sys_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return RC_SYS;
        p += n;
        len -= (size_t)n;
    }
    return RC_OK;
}

/* Reads until end of file or error; stops with RC_LIMIT when there is more than max in buf. The
 * one byte beyond max tells a file of exactly max bytes from a longer one. */
static enum rc read_until(int fd, size_t max, struct buf *b, int *ret_errno)
{
    for (;;) {
        size_t want = b->len <= max ? max - b->len + 1 : 0;
        if (want == 0)
            return RC_LIMIT;
        if (want > 65536)
            want = 65536;
        ssize_t n = read(fd, buf_room(b, want), want);
        *ret_errno = n < 0 ? errno : 0;
        if (n < 0 && *ret_errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? RC_DONE : RC_SYS;
        buf_wrote(b, (size_t)n);
        if (b->len > max)
            return RC_LIMIT;
    }
}

enum rc sys_read_fd(int fd, size_t max, struct buf *ret, struct err *err)
{
    int errnum = 0;
    enum rc rc = read_until(fd, max, ret, &errnum);
    if (rc == RC_LIMIT)
        return err_set(err, RC_LIMIT, "longer than %zu bytes", max);
    if (rc == RC_SYS)
        return err_sys(err, errnum, "cannot read");
    return RC_OK;
}

enum rc sys_read_file(const char *path, size_t max, struct buf *ret, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        int errnum = errno;
        (void)err_sys(err, errnum, "cannot open %s", path);
        return errnum == ENOENT || errnum == ENOTDIR ? RC_NOTFOUND : RC_SYS;
    }
    enum rc rc = sys_read_fd(fd, max, ret, err);
    return rc == RC_OK ? RC_OK : err_prefix(err, rc, "%s", path);
}

/* Here max is a bound on what the caller will hold, so nothing is read beyond it. */
enum rc sys_read_avail(int fd, size_t max, struct buf *b)
{
    while (b->len < max) {
        size_t want = max - b->len < 65536 ? max - b->len : 65536;
        ssize_t n = read(fd, buf_room(b, want), want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? RC_AGAIN : RC_SYS;
        if (n == 0)
            return RC_DONE;
        buf_wrote(b, (size_t)n);
    }
    return RC_LIMIT;
}

/* Its place stays at the beginning. */
static bool fill_file(int fd, const char *data, size_t size)
{
    size_t at = 0;
    if (!data || size == 0)
        return ftruncate(fd, (off_t)size) == 0;
    while (at < size) {
        ssize_t n = pwrite(fd, data + at, size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

enum rc sys_memfd(const char *name, const void *data, size_t size, bool is_content_sealed,
    int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
    if (is_content_sealed)
        seals |= F_SEAL_WRITE;
    if (fd < 0 || !fill_file(fd, data, size) || fcntl(fd, F_ADD_SEALS, seals) != 0) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot make the memory file %s of %zu bytes", name, size);
    }
    *ret_fd = TAKE_FD(fd);
    return RC_OK;
}

int sys_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int sys_pidfd_signal(int pidfd, int signum)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, 0);
}

void sys_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline_mono_ns)
{
    struct timespec until = {
        .tv_sec = deadline_mono_ns / NS_PER_S,
        .tv_nsec = deadline_mono_ns % NS_PER_S,
    };
    if (deadline_mono_ns < 0)
        return;
    /* The bitset form takes an absolute deadline on the monotonic clock. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen, &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

int sys_futex_wake(_Atomic uint32_t *word, int n)
{
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
    return woken > 0 ? (int)woken : 0;
}

void sys_futex_wait_any(const struct sys_futex *words, size_t len, int64_t deadline_mono_ns)
{
    struct futex_waitv waiters[SYS_FUTEX_WORDS_MAX];
    struct timespec until = {
        .tv_sec = deadline_mono_ns / NS_PER_S,
        .tv_nsec = deadline_mono_ns % NS_PER_S,
    };
    if (deadline_mono_ns < 0 || len > SYS_FUTEX_WORDS_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        waiters[i] = (struct futex_waitv){
            .val = words[i].seen, .uaddr = (uintptr_t)words[i].word, .flags = FUTEX_32};
    long n = syscall(SYS_futex_waitv, waiters, (unsigned)len, 0, &until, CLOCK_MONOTONIC);
    if (n < 0 && (errno == ENOSYS || errno == EPERM))
        sys_futex_wait(words[0].word, words[0].seen, deadline_mono_ns);
}

char *sys_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *sys_path_join(const char *dir, const char *path)
{
    if (path[0] == '/')
        return xstrdup(path);
    size_t len = strlen(dir);
    return xasprintf("%s%s%s", dir, len > 0 && dir[len - 1] == '/' ? "" : "/", path);
}

/* An upgrade may have removed the running file: its directory is still the right one. */
static char *own_directory(void)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (n <= 0)
        return xstrdup(".");
    exe[n] = '\0';
    return sys_dirname(exe);
}

enum rc sys_find_program(const char *name, char **ret_path, struct err *err)
{
    CLEANUP_FREE char *own = own_directory();
    /* Seen from bin and sbin; so that an installation may be moved as a whole. */
    const char *const places[] = {own, STINT_LIBEXECDIR_BESIDE, "../sbin", STINT_LIBEXECDIR};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        CLEANUP_FREE char *dir = sys_path_join(own, places[i]);
        CLEANUP_FREE char *path = sys_path_join(dir, name);
        if (access(path, X_OK) == 0) {
            *ret_path = TAKE_PTR(path);
            return RC_OK;
        }
    }
    return err_set(err, RC_NOTFOUND, "the program %s is neither in %s nor in %s; install it there",
        name, own, STINT_LIBEXECDIR);
}

/* "STATE PARENT …" of /proc/PID/stat; NULL: there is no such pid. */
static const char *read_stat(pid_t pid, char *text, size_t cap)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, cap - 1) : -1;
    if (n <= 0)
        return NULL;
    text[n] = '\0';
    const char *paren = strrchr(text, ')'); /* the name may hold any character, ')' too */
    return paren && paren[1] == ' ' ? paren + 2 : NULL;
}

char sys_proc_state(pid_t pid)
{
    char text[512];
    const char *stat = read_stat(pid, text, sizeof(text));
    return stat ? *stat : '\0';
}

pid_t sys_proc_parent(pid_t pid)
{
    char text[512];
    const char *stat = read_stat(pid, text, sizeof(text));
    return stat && *stat ? (pid_t)atoi(stat + 1) : 0;
}

uint64_t sys_random(void)
{
    uint64_t value = 0;
    while (getrandom(&value, sizeof(value), 0) != sizeof(value))
        continue;
    return value;
}

void sys_occupy_standard(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY}; /* what is not done with it */
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", modes[fd]); /* gets the lowest free number: this one */
}
