/* exec_end: what the end of an exec handler means for the attempts that it had: why each ended, by
 * what was said, by why it was cut, by the exit status; and what is kept of it. The call's first
 * attempt bears the process. Used by handler_exec.c, when all of that is gone; concludes every
 * attempt of the call. */
#ifndef STINT_WORKER_EXEC_END_H
#define STINT_WORKER_EXEC_END_H

#include "worker/worker.h"

void exec_end_conclude(struct worker *w, struct call *call);

#endif
