/* memgroup: the control group (cgroup v2) that this worker's handlers are born in where `memory` is
 * limited: its bound, and whether the kernel has killed in it. Only where the supervisor has
 * divided the pool's group (supervisor/cgroup.h); else nothing here does anything, and RLIMIT_AS
 * holds instead. Used by handler_exec.c and resident.c. The supervisor removes the group. */
#ifndef STINT_WORKER_MEMGROUP_H
#define STINT_WORKER_MEMGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct memgroup {
    char path[PATH_MAX]; /* "": there is none */
    int procs_fd;        /* for spawn_opts.cgroup_fd; −1: none */
    int64_t kills;       /* seen so far */
};

/* beside: the group that the worker itself is in; NULL: looks. */
void memgroup_init(struct memgroup *g, const char *beside, uint32_t slot);
void memgroup_fini(struct memgroup *g);
/* Bounds what is born in it from now on, all together; 0: no bound. False: it cannot be. */
bool memgroup_limit(struct memgroup *g, int64_t bytes);
/* The proof: killed for want of memory since the last question. */
bool memgroup_has_killed(struct memgroup *g);

#endif
