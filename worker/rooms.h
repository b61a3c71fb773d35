/* rooms: how many runs of each lane this worker could take now: decides w->rooms before a wish.
 * Pure but for that. Called by trade.c, and by whoever must know whether there is room. */
#ifndef STINT_WORKER_ROOMS_H
#define STINT_WORKER_ROOMS_H

#include "worker/worker.h"

/* False: there is no room in any lane. */
bool rooms_decide(struct worker *w);

/* Of runs that have the worker for themselves (exec, builtin) so many are claimed at once that an
 * exchange is a small part of the work that they are, if each is as those before; but no more than
 * are done within this time. What was claimed ahead does not wait longer for a run that lasts. */
#define ROOMS_TURN_NS (50 * NS_PER_MS)
/* Nor an outcome for the others, however long these take. */
#define ROOMS_WAIT_NS (2 * ROOMS_TURN_NS)
/* When what waits for a run that began then has waited long enough; 0: nothing waits. */
int64_t rooms_hand_over_due(const struct worker *w, int64_t began_mono_ns);
/* The end of such a call, which is still whole; an exchange has taken so long. */
void rooms_measure(struct worker *w, const struct call *call);
/* Runs of this stage last some milliseconds at most. */
bool rooms_is_quick(const struct worker *w, const struct catalog_stage *stage);
void rooms_measure_exchange(struct worker *w, int64_t took_ns);

#endif
