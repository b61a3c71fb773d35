/* cgroup: a control group of the pool's own, where the kernel lets us have one (cgroup v2, below
 * the group that stintd was started in). Workers are born in it, so everything that a handler
 * leaves behind is in it too, also with setsid, double forks and an empty environment: the next
 * start ends what a pool that died whole left there. Where there is none, nothing here does
 * anything. Only in stintd, before its loop and after it.
 *
 * Where the memory controller can be had as well, the group is divided, because a group that bounds
 * its children may have no process of its own:
 *   OWN            where stintd was started; empty then
 *   OWN/GROUP      of the pool
 *     stintd       the supervisor and the keeper
 *     pool         the workers
 *     hSLOT        handlers of the worker in this slot, where `memory` is limited (worker/memgroup)
 */
#ifndef STINT_SUPERVISOR_CGROUP_H
#define STINT_SUPERVISOR_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup {
    char path[PATH_MAX]; /* "": none */
    char own[PATH_MAX];  /* where we were started */
    bool is_divided;
    int procs_fd; /* for spawn_opts.cgroup_fd; −1: none */
};

/* Makes or finds the group called name and ends whatever is alive in it, waiting until the
 * monotonic time at most. False: something there does not end. */
bool cgroup_open(struct cgroup *group, const char *name, int64_t until_mono_ns);
/* Divides the group, if the system lets us: else memory is bounded by rlimits. */
void cgroup_divide(struct cgroup *group);
/* Removes the group; everybody in it must have ended. */
void cgroup_close(struct cgroup *group);

#endif
