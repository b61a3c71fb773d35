#include "common/base/cgroup_own.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A group's path below the mount: the line "0::PATH" of /proc/PROCESS/cgroup. */
static bool find_path(const char *process, char *ret, size_t cap)
{
    char path[64];
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    const char *line;

    (void)snprintf(path, sizeof path, "/proc/%.20s/cgroup", process);
    if (sys_read_file(path, SMALL_FILE_MAX, &text, NULL) != RC_OK)
        return false;
    line = strstr(buf_str(&text), "0::/");
    if (line == NULL)
        return false;
    line += 3;
    return (size_t)snprintf(ret, cap, "%.*s", (int)strcspn(line, "\n"), line) < cap;
}

bool cgroup_find_of(const char *process, char *ret_dir, size_t cap)
{
    char mount[PATH_MAX], path[PATH_MAX];
    int n;

    if (!find_mount(mount, sizeof mount) || !find_path(process, path, sizeof path))
        return false;
    n = snprintf(ret_dir, cap, "%s%s", mount, strcmp(path, "/") == 0 ? "" : path);
    return n > 0 && (size_t)n < cap;
}

bool cgroup_find_own(char *ret_dir, size_t cap)
{
    return cgroup_find_of("self", ret_dir, cap);
}

int cgroup_open_file(const char *dir, const char *file, int flags)
{
    char path[PATH_MAX + 64];

    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    return open(path, flags | O_CLOEXEC);
}

bool cgroup_write(const char *dir, const char *file, const char *text)
{
    CLEANUP_FD int fd = cgroup_open_file(dir, file, O_WRONLY);
    size_t len = strlen(text);

    return fd >= 0 && write(fd, text, len) == (ssize_t)len;
}

/* A small file of the kernel, whole; false: not there. */
static bool read_small(const char *dir, const char *file, char *text, size_t cap)
{
    CLEANUP_FD int fd = cgroup_open_file(dir, file, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, cap - 1) : -1;

    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* Where the line or word ends that begins with name, and a blank or the end behind it; or NULL. */
static const char *find_name(const char *text, const char *name)
{
    size_t len = strlen(name);

    while (*text != '\0') {
        if (strncmp(text, name, len) == 0 && strchr(" \n", text[len]) != NULL)
            return text + len;
        text += strcspn(text, " \n");
        text += strspn(text, " \n");
    }
    return NULL;
}

bool cgroup_has_word(const char *dir, const char *file, const char *word)
{
    char text[1024];

    return read_small(dir, file, text, sizeof text) && find_name(text, word) != NULL;
}

int64_t cgroup_count(const char *dir, const char *file, const char *name)
{
    char text[1024];
    const char *value = read_small(dir, file, text, sizeof text) ? find_name(text, name) : NULL;

    return value == NULL ? 0 : strtoll(value, NULL, 10);
}

bool cgroup_is_pools(const char *dir)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(dir, '/');

    if (slash == NULL || strcmp(slash + 1, CGROUP_POOL) != 0)
        return false;
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - dir), dir);
    return cgroup_has_word(parent, "cgroup.subtree_control", "memory");
}
