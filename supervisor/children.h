/* children: gives birth to the keeper and the workers, and ends them: descriptors, slot words,
 * exec, SIGKILL. The only file of the supervisor that spawns or signals a child. In stintd only. */
#ifndef STINT_SUPERVISOR_CHILDREN_H
#define STINT_SUPERVISOR_CHILDREN_H

#include "supervisor/pool.h"

/* The child's state must be empty. A failure is logged, and throttles the place. */
void children_start_keeper(struct pool *pool);
/* False: no life number is left. */
bool children_start_worker(struct pool *pool, struct child *c);
/* SIGKILL by pidfd: only to a process that is ours and not reaped. */
void children_kill(const struct child *c);
/* Reads all beats that lie in the pipe. */
void children_drain(struct pool *pool, struct child *c);
void children_close(struct child *c); /* its descriptors */

#endif
