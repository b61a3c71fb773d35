/* cycle: the worker's main loop: exchange the outcome of the last run for the next one, run it;
 * when there is nothing to do, sleep. Called by main.c, and for a trial by trial.c. */
#ifndef STINT_WORKER_CYCLE_H
#define STINT_WORKER_CYCLE_H

#include "worker/worker.h"

/* Until the pool stops or this life retires (RC_OK), or the database has failed for too long. */
/* A trial: works until nothing of the deck is open, and ends what it has started. */
void cycle_run_deck(struct worker *w);
MUST_CHECK enum rc cycle_run(struct worker *w, struct err *err);

#endif
