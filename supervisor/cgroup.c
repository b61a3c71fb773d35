#include "supervisor/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

#define SMALL_FILE_MAX ((size_t)1 << 20)

/* The mount point of a cgroup v2 line of mountinfo: "… ROOT MOUNTPOINT … - cgroup2 …"; see
 * proc_pid_mountinfo(5). Only a mount of the whole tree is of use. */
static bool read_mount_line(char *line, char *ret_dir, size_t cap)
{
    char root[2], dir[PATH_MAX];

    if (strstr(line, " - cgroup2 ") == NULL)
        return false;
    if (sscanf(line, "%*d %*d %*s %1s %4095s", root, dir) != 2 || strcmp(root, "/") != 0)
        return false;
    return (size_t)snprintf(ret_dir, cap, "%s", dir) < cap;
}

static bool find_mount(char *ret_dir, size_t cap)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    char *line, *next = NULL;

    if (sys_read_file("/proc/self/mountinfo", SMALL_FILE_MAX, &text, NULL) != RC_OK)
        return false;
    for (line = text.data; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (read_mount_line(line, ret_dir, cap))
            return true;
    }
    return false;
}

/* Our own group's path below the mount: the line "0::PATH" of /proc/self/cgroup. */
static bool find_own(char *ret, size_t cap)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    const char *line;

    if (sys_read_file("/proc/self/cgroup", SMALL_FILE_MAX, &text, NULL) != RC_OK)
        return false;
    line = strstr(buf_str(&text), "0::/");
    if (line == NULL)
        return false;
    line += 3;
    return (size_t)snprintf(ret, cap, "%.*s", (int)strcspn(line, "\n"), line) < cap;
}

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

bool cgroup_find_own(char *ret_dir, size_t cap)
{
    char mount[PATH_MAX], own[PATH_MAX];
    int n;

    if (!find_mount(mount, sizeof mount) || !find_own(own, sizeof own))
        return false;
    n = snprintf(ret_dir, cap, "%s%s", mount, strcmp(own, "/") == 0 ? "" : own);
    return n > 0 && (size_t)n < cap;
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
