/* rooms: how many runs of each lane this worker could take now: decides w->rooms before a wish.
 * Pure but for that. Called by trade.c, and by whoever must know whether there is room. */
#ifndef STINT_WORKER_ROOMS_H
#define STINT_WORKER_ROOMS_H

#include "worker/worker.h"

/* False: there is no room in any lane. */
bool rooms_decide(struct worker *w);

#endif
