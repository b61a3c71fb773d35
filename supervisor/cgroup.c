#include "supervisor/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cgroup_own.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"

static int open_in(const struct cgroup *group, const char *file, int flags)
{
    char path[PATH_MAX + 32];

    (void)snprintf(path, sizeof path, "%s/%s", group->path, file);
    return open(path, flags | O_CLOEXEC);
}

static bool is_populated(int events_fd)
{
    char text[256];
    ssize_t n = pread(events_fd, text, sizeof text - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    return strstr(text, "populated 1") != NULL;
}

/* The kernel announces the last end by POLLPRI on cgroup.events. */
static bool end_all(const struct cgroup *group, int64_t until_mono_ns)
{
    CLEANUP_FD int events_fd = open_in(group, "cgroup.events", O_RDONLY);
    CLEANUP_FD int kill_fd = open_in(group, "cgroup.kill", O_WRONLY);

    while (events_fd >= 0 && is_populated(events_fd)) {
        struct pollfd events = {.fd = events_fd, .events = POLLPRI};
        int64_t left_ms = (until_mono_ns - clock_mono_ns()) / NS_PER_MS;

        if (left_ms <= 0 || kill_fd < 0)
            return false;
        (void)!write(kill_fd, "1", 1);
        (void)poll(&events, 1, left_ms < 100 ? (int)left_ms : 100);
    }
    return true;
}

bool cgroup_open(struct cgroup *group, const char *name, int64_t until_mono_ns)
{
    char own[PATH_MAX];
    int n;

    *group = (struct cgroup){.procs_fd = -1};
    if (!cgroup_find_own(own, sizeof own))
        return true;
    n = snprintf(group->path, sizeof group->path, "%s/%s", own, name);
    if (n < 0 || (size_t)n >= sizeof group->path)
        group->path[0] = '\0';
    (void)mkdir(group->path, 0755);
    group->procs_fd = open_in(group, "cgroup.procs", O_WRONLY);
    if (group->procs_fd < 0) {
        group->path[0] = '\0';
        return true;
    }
    return end_all(group, until_mono_ns);
}

void cgroup_close(struct cgroup *group)
{
    if (group->procs_fd >= 0)
        (void)close(group->procs_fd);
    if (group->path[0] != '\0')
        (void)rmdir(group->path);
    *group = (struct cgroup){.procs_fd = -1};
}
