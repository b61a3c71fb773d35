#include "common/base/locks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define WRITE_LOCK_BYTE 120
#define RESERVED_BYTE 0x40000001 /* of the file itself, before its first write-ahead log */

/* "1: POSIX  ADVISORY  WRITE 812 fe:00:1104 120 120", see proc_locks(5); major and minor are hex.
 */
static pid_t holder_in_line(const char *line, const char *kind, const struct stat *st, int64_t byte)
{
    unsigned major_no = 0, minor_no = 0;
    uintmax_t inode = 0;
    intmax_t first = 0;
    char is_kind[8] = "", last[24] = "";
    int pid = 0;

    if (sscanf(line, "%*d: %7s %*s WRITE %d %x:%x:%ju %jd %23s", is_kind, &pid, &major_no,
            &minor_no, &inode, &first, last) != 7)
        return 0;
    if (strcmp(is_kind, kind) != 0 || inode != st->st_ino || major_no != major(st->st_dev) ||
        minor_no != minor(st->st_dev))
        return 0;
    return first <= byte && (strcmp(last, "EOF") == 0 || strtoimax(last, NULL, 10) >= byte)
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

pid_t locks_find(const char *path, const char *kind, int64_t byte)
{
    static char text[65536];
    struct stat st;
    pid_t pid = 0;

    if (stat(path, &st) != 0)
        return 0;
    read_proc("/proc/locks", text, sizeof text);
    for (const char *line = text; line != NULL && pid == 0; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        pid = holder_in_line(line, kind, &st, byte);
    }
    return pid;
}

pid_t locks_find_writer(const char *database)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%s-shm", database) >= sizeof path)
        return 0;
    pid_t pid = locks_find(path, "POSIX", WRITE_LOCK_BYTE);
    return pid != 0 ? pid : locks_find(database, "POSIX", RESERVED_BYTE);
}

void locks_read_name(pid_t pid, char *out, size_t cap)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    read_proc(path, out, cap);
    out[strcspn(out, "\n")] = '\0';
}
