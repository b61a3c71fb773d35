/* accepted: the configuration that this worker works by, out of the pool's box, and all that is
 * made from it: catalogue, lanes. Taken at the start; renewed in place between two attempts when
 * another was accepted that differs in tuning only. A change of a JobSpec makes the life outdated
 * instead. Used by main.c and cycle.c; nobody else changes these members of struct worker. */
#ifndef STINT_WORKER_ACCEPTED_H
#define STINT_WORKER_ACCEPTED_H

#include "worker/worker.h"

/* The configuration in force, before the store is there. RC_INVALID: it cannot be parsed. */
MUST_CHECK enum rc accepted_take(struct worker *w, struct err *err);
/* What the store knows of it. Waits while a reload is under way that took a stage away. */
MUST_CHECK enum rc accepted_load(struct worker *w, struct err *err);
/* Looks whether another was accepted. What is in the deck is judged by the new tuning. */
void accepted_renew(struct worker *w);
void accepted_fini(struct worker *w);

#endif
