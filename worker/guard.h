/* guard: watches over one running call in the loop: its time, its output, orders of the
 * supervisor, heartbeats, its claims; and ends it so that no process of its tree is left. Called by
 * handler_exec.c and handler_builtin.c; fills in the attempts, decides no outcome. */
#ifndef STINT_WORKER_GUARD_H
#define STINT_WORKER_GUARD_H

#include "worker/attempt.h"
#include "worker/worker.h"

/* Returns when the call's process (its first attempt's) and all that descends from it are gone and
 * reaped; or, if it has none, at until_mono_ns. In both cases earlier when it is cut. */
void guard_run(struct worker *w, struct call *call, int64_t until_mono_ns);

#endif
