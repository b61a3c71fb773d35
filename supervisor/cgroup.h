/* cgroup: a control group of the pool's own, where the kernel lets us have one (cgroup v2, below
 * the group that stintd was started in). Workers are born in it, so everything that a handler
 * leaves behind is in it too, also with setsid, double forks and an empty environment: the next
 * start ends what a pool that died whole left there. Where there is none, nothing here does
 * anything. Only in stintd, before its loop and after it. */
#ifndef STINT_SUPERVISOR_CGROUP_H
#define STINT_SUPERVISOR_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup {
    char path[PATH_MAX]; /* "": none */
    int procs_fd;        /* for spawn_opts.cgroup_fd; −1: none */
};

/* Makes or finds the group called name and ends whatever is alive in it, waiting until the
 * monotonic time at most. False: something there does not end. */
bool cgroup_open(struct cgroup *group, const char *name, int64_t until_mono_ns);
/* Removes the group; everybody in it must have ended. */
void cgroup_close(struct cgroup *group);

#endif
