/* deck: the attempts that this worker has, and which state each is in: claimed, running, concluded.
 * cycle.c puts in what was claimed and takes out what was handed over; handlers run and conclude.
 * Owns the attempts; does nothing itself. */
#ifndef STINT_WORKER_DECK_H
#define STINT_WORKER_DECK_H

#include "worker/attempt.h"

struct deck {
    struct attempt **list; /* each keeps its place in memory while it is here */
    size_t len, cap;
    size_t counts[ATTEMPT_STATES];
    int64_t concluded_mono_ns; /* the oldest that is concluded; 0: none */
};

void deck_fini(struct deck *d);
/* Takes the run. */
struct attempt *deck_add(struct deck *d, struct run *run, const struct catalog_stage *stage);
/* The only way an attempt changes its state. */
void deck_start(struct deck *d, struct attempt *a);
void deck_conclude(struct deck *d, struct attempt *a, enum end_cause cause);
/* Starts the next that are claimed, at most so many, a suspect alone; there is one. An array on the
 * heap, owned by the caller, of attempts that are not. */
struct attempt **deck_start_call(struct deck *d, size_t max, size_t *ret_len);
/* Concluded by whoever ran it, with attempt_conclude. */
void deck_concluded(struct deck *d, struct attempt *a);
/* The first in this state; NULL: none. */
struct attempt *deck_first(const struct deck *d, enum attempt_state state);
/* All that are claimed and not begun go back. */
void deck_give_back(struct deck *d);
/* Ends and forgets all that are concluded and not held back. */
void deck_drop_handed_over(struct deck *d);
/* Runs that are neither ended nor handed over. */
static inline size_t deck_open(const struct deck *d)
{
    return d->counts[ATTEMPT_CLAIMED] + d->counts[ATTEMPT_RUNNING];
}

#endif
