#include "worker/memgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cgroup_own.h"

static bool has_path(struct memgroup *g, const char *own, uint32_t slot)
{
    const char *slash = strrchr(own, '/');
    if (slash == NULL)
        return false;
    int n = snprintf(g->path, sizeof(g->path), "%.*s/h%" PRIu32, (int)(slash - own), own, slot);
    return n > 0 && (size_t)n < sizeof(g->path);
}

void memgroup_init(struct memgroup *g, const char *beside, uint32_t slot)
{
    char own[PATH_MAX];
    *g = (struct memgroup){.procs_fd = -1};
    if (beside == NULL && cgroup_find_own(own, sizeof(own)))
        beside = own;
    if (beside == NULL || !cgroup_is_pools(beside) || !has_path(g, beside, slot)) {
        g->path[0] = '\0';
        return;
    }
    (void)mkdir(g->path, 0755);
    (void)cgroup_write(g->path, "memory.oom.group", "1"); /* the handler as a whole */
    (void)cgroup_write(g->path, "memory.swap.max", "0");
    g->procs_fd = cgroup_open_file(g->path, "cgroup.procs", O_WRONLY);
    if (g->procs_fd < 0)
        g->path[0] = '\0';
    else
        (void)memgroup_has_killed(g); /* its predecessors' */
}

void memgroup_fini(struct memgroup *g)
{
    if (g->procs_fd >= 0)
        (void)close(g->procs_fd);
    *g = (struct memgroup){.procs_fd = -1};
}

bool memgroup_limit(struct memgroup *g, int64_t bytes)
{
    char text[32] = "max";
    if (g->path[0] == '\0')
        return false;
    if (bytes > 0)
        (void)snprintf(text, sizeof(text), "%" PRId64, bytes);
    return cgroup_write(g->path, "memory.max", text);
}

bool memgroup_has_killed(struct memgroup *g)
{
    int64_t before = g->kills;
    if (g->path[0] == '\0')
        return false;
    g->kills = cgroup_count(g->path, "memory.events", "oom_kill");
    return g->kills > before;
}
