/* oom: proof that the kernel killed for want of memory: the oom_kill counter of our own cgroup's
 * memory.events. Where there is none (no cgroup v2) nothing is ever proven. In stintd only. */
#ifndef STINT_SUPERVISOR_OOM_H
#define STINT_SUPERVISOR_OOM_H

#include <stdbool.h>
#include <stdint.h>

struct oom {
    int fd; /* of memory.events; −1: none */
    int64_t seen;
};

/* dir: the group whose kills count; NULL: the one that we are in. */
void oom_init(struct oom *oom, const char *dir);
void oom_fini(struct oom *oom);
/* True if the kernel has killed since the last look. */
bool oom_has_killed(struct oom *oom);

#endif
