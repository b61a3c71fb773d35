#include "supervisor/oom.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cgroup_own.h"

/* Reads a small file of the kernel whole; false: not there. */
static bool read_small(int fd, char *text, size_t cap)
{
    ssize_t n = fd >= 0 ? pread(fd, text, cap - 1, 0) : -1;

    if (n <= 0)
        return false;
    text[n] = '\0';
    return true;
}

/* The rest of the line that begins with prefix, or NULL. */
static char *find_line(char *text, const char *prefix)
{
    char *line = text;

    while (line != NULL) {
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            return line + strlen(prefix);
        line = strchr(line, '\n');
        if (line != NULL)
            line++;
    }
    return NULL;
}

static int64_t read_count(const struct oom *oom)
{
    char text[1024];
    const char *value =
        read_small(oom->fd, text, sizeof text) ? find_line(text, "oom_kill ") : NULL;

    return value == NULL ? 0 : strtoll(value, NULL, 10);
}

void oom_init(struct oom *oom, const char *dir)
{
    char own[PATH_MAX];

    oom->fd = -1;
    oom->seen = 0;
    if (dir == NULL && cgroup_find_own(own, sizeof own))
        dir = own;
    if (dir == NULL)
        return;
    oom->fd = cgroup_open_file(dir, "memory.events", O_RDONLY);
    oom->seen = read_count(oom);
}

void oom_fini(struct oom *oom)
{
    if (oom->fd >= 0)
        (void)close(oom->fd);
    oom->fd = -1;
}

bool oom_has_killed(struct oom *oom)
{
    int64_t before = oom->seen;

    if (oom->fd < 0)
        return false;
    oom->seen = read_count(oom);
    return oom->seen > before;
}
