/* resident_loop: the worker's loop while a resident has runs in flight, starts, or ends: what comes
 * when, and what is due. Called by cycle.c. Decides no outcome. */
#ifndef STINT_WORKER_RESIDENT_LOOP_H
#define STINT_WORKER_RESIDENT_LOOP_H

#include "worker/worker.h"

/* Runs what is claimed, until an exchange makes sense: outcomes to hand over, or room, and the wake
 * word is another than the one seen. */
void resident_work(struct worker *w, uint32_t seen);
/* Ends the process, if there is one, and returns when its tree is gone. */
void resident_stop(struct worker *w);
/* While the worker is idle: has it ended, or been idle for too long? */
void resident_look(struct worker *w);

#endif
