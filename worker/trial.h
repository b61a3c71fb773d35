/* trial: one run of one stage without the database, for `stint try`: `stint-worker 0 1 --try` gets
 * the run on FD_TRIAL_RUN, runs its handler as a worker of the pool would, and tells on
 * FD_TRIAL_OUT what happens and what the pool would make of it. Called by main.c only. Claims
 * nothing, records nothing, takes no token. */
#ifndef STINT_WORKER_TRIAL_H
#define STINT_WORKER_TRIAL_H

#include "worker/worker.h"

/* The worker has configuration, loop and life, and no store. */
MUST_CHECK enum rc trial_run(struct worker *w, struct err *err);

#endif
