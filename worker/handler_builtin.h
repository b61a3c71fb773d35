/* handler_builtin: the handlers that need no program of the user's: noop, sleep, fail, and
 * discover, which is our own program. Used by cycle.c; returns with the outcome concluded. */
#ifndef STINT_WORKER_HANDLER_BUILTIN_H
#define STINT_WORKER_HANDLER_BUILTIN_H

#include "worker/attempt.h"
#include "worker/worker.h"

void handler_builtin_run(struct worker *w, struct attempt *a);

#endif
