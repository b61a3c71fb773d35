#include "common/base/cgroup_own.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
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

bool cgroup_find_own(char *ret_dir, size_t cap)
{
    char mount[PATH_MAX], own[PATH_MAX];
    int n;

    if (!find_mount(mount, sizeof mount) || !find_own(own, sizeof own))
        return false;
    n = snprintf(ret_dir, cap, "%s%s", mount, strcmp(own, "/") == 0 ? "" : own);
    return n > 0 && (size_t)n < cap;
}
