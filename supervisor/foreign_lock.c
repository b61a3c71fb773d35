#include "supervisor/foreign_lock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"

/* SQLite's write lock in WAL mode: byte 120 of the -shm file (sqlite.org/walformat.html). */
#define WRITE_LOCK_BYTE 120

/* "1: POSIX  ADVISORY  WRITE 812 fe:00:1104 120 120", see proc_locks(5); major and minor are hex.
 */
static pid_t holder_in_line(const char *line, const struct stat *st)
{
    unsigned major_no = 0, minor_no = 0;
    uintmax_t inode = 0;
    intmax_t first = 0;
    char last[24] = "";
    int pid = 0;

    if (sscanf(line, "%*d: POSIX %*s WRITE %d %x:%x:%ju %jd %23s", &pid, &major_no, &minor_no,
            &inode, &first, last) != 6)
        return 0;
    if (inode != st->st_ino || major_no != major(st->st_dev) || minor_no != minor(st->st_dev))
        return 0;
    return first <= WRITE_LOCK_BYTE &&
                   (strcmp(last, "EOF") == 0 || strtoimax(last, NULL, 10) >= 120)
               ? (pid_t)pid
               : 0;
}

/* The file of the kernel, as much of it as there is room for. Not stdio: that allocates. */
static void read_proc(const char *path, char *text, size_t cap)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 1;

    while (fd >= 0 && n > 0 && len < cap - 1) {
        n = read(fd, text + len, cap - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    text[len] = '\0';
}

static pid_t find_holder(const char *database)
{
    static char text[65536];
    char path[PATH_MAX];
    struct stat st;
    pid_t pid = 0;

    if ((size_t)snprintf(path, sizeof path, "%s-shm", database) >= sizeof path ||
        stat(path, &st) != 0)
        return 0;
    read_proc("/proc/locks", text, sizeof text);
    for (const char *line = text; line != NULL && pid == 0; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        pid = holder_in_line(line, &st);
    }
    return pid;
}

static void read_name(pid_t pid, char *out, size_t cap)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    read_proc(path, out, cap);
    out[strcspn(out, "\n")] = '\0';
}

bool foreign_lock_look(struct foreign_lock *lock, const char *database, bool is_wanted,
    bool is_ours, int64_t patience_ms)
{
    int64_t now = clock_mono_ns();
    pid_t before = lock->pid;

    if (!is_wanted || is_ours) {
        *lock = (struct foreign_lock){0};
        return false;
    }
    if (lock->since_mono_ns == 0)
        lock->since_mono_ns = now;
    if (now - lock->since_mono_ns < patience_ms * NS_PER_MS)
        return false;
    lock->pid = find_holder(database);
    if (lock->pid == 0 || lock->pid == before)
        return false;
    read_name(lock->pid, lock->name, sizeof lock->name);
    return true;
}
