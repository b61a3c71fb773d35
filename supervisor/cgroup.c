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
#include "common/ipc/pool_mem.h"

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
    CLEANUP_FD int events_fd = cgroup_open_file(group->path, "cgroup.events", O_RDONLY);
    CLEANUP_FD int kill_fd = cgroup_open_file(group->path, "cgroup.kill", O_WRONLY);

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
    int n;

    *group = (struct cgroup){.procs_fd = -1};
    if (!cgroup_find_own(group->own, sizeof group->own))
        return true;
    n = snprintf(group->path, sizeof group->path, "%s/%s", group->own, name);
    if (n < 0 || (size_t)n >= sizeof group->path)
        group->path[0] = '\0';
    (void)mkdir(group->path, 0755);
    group->procs_fd = cgroup_open_file(group->path, "cgroup.procs", O_WRONLY);
    if (group->procs_fd < 0) {
        group->path[0] = '\0';
        return true;
    }
    return end_all(group, until_mono_ns);
}

static void part_path(const struct cgroup *group, const char *part, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/%s", group->path, part);
}

static void undo_division(struct cgroup *group)
{
    char part[PATH_MAX + 64];

    (void)cgroup_write(group->path, "cgroup.subtree_control", "-memory");
    (void)cgroup_write(group->own, "cgroup.subtree_control", "-memory");
    (void)cgroup_write(group->own, "cgroup.procs", "0"); /* ourselves */
    part_path(group, CGROUP_POOL, part, sizeof part);
    (void)rmdir(part);
    part_path(group, "stintd", part, sizeof part);
    (void)rmdir(part);
    group->is_divided = false;
}

/* The root of all groups has no type, and is not ours to change. */
static bool is_root(const struct cgroup *group)
{
    CLEANUP_FD int fd = cgroup_open_file(group->own, "cgroup.type", O_RDONLY);

    return fd < 0;
}

static bool divide(struct cgroup *group)
{
    char pool[PATH_MAX + 64], ours[PATH_MAX + 64];
    int procs_fd;

    part_path(group, CGROUP_POOL, pool, sizeof pool);
    part_path(group, "stintd", ours, sizeof ours);
    (void)mkdir(pool, 0755);
    (void)mkdir(ours, 0755);
    if (!cgroup_write(ours, "cgroup.procs", "0") ||
        !cgroup_write(group->own, "cgroup.subtree_control", "+memory") ||
        !cgroup_write(group->path, "cgroup.subtree_control", "+memory"))
        return false;
    procs_fd = cgroup_open_file(pool, "cgroup.procs", O_WRONLY);
    if (procs_fd < 0)
        return false;
    (void)close(group->procs_fd);
    group->procs_fd = procs_fd;
    return true;
}

void cgroup_divide(struct cgroup *group)
{
    if (group->path[0] == '\0' || is_root(group) ||
        !cgroup_has_word(group->own, "cgroup.controllers", "memory"))
        return;
    group->is_divided = divide(group);
    if (!group->is_divided)
        undo_division(group);
}

static void remove_handlers_groups(const struct cgroup *group)
{
    char name[32], path[PATH_MAX + 64];

    for (int slot = 0; slot < POOL_SLOTS_MAX; slot++) {
        (void)snprintf(name, sizeof name, "h%d", slot);
        part_path(group, name, path, sizeof path);
        (void)rmdir(path);
    }
}

void cgroup_close(struct cgroup *group)
{
    if (group->procs_fd >= 0)
        (void)close(group->procs_fd);
    if (group->is_divided) {
        remove_handlers_groups(group);
        undo_division(group);
    }
    if (group->path[0] != '\0')
        (void)rmdir(group->path);
    *group = (struct cgroup){.procs_fd = -1};
}
