/* reload: the keeper's part of a reload: the rows of a proposed configuration, and the word that
 * keeps workers of an older JobSpec from claiming, become true in one commit. Also where the keeper
 * gets its configuration from at its start. Used by main.c and answer.c. */
#ifndef STINT_KEEPER_RELOAD_H
#define STINT_KEEPER_RELOAD_H

#include "common/ipc/orders.h"
#include "supervisor/keeper/keeper.h"

/* Takes a configuration out of the box; generation 0: the one in force. */
MUST_CHECK enum rc reload_take(struct keeper *k, uint64_t generation, struct err *err);

/* A keeper that joins a pool: the one before it may have committed a reload that is not yet in
 * force, or may have died on the way to the commit. Needs the pool's row. */
MUST_CHECK enum rc reload_catch_up(struct keeper *k, struct err *err);
/* ORDER_RELOAD. While somebody else holds the database there is no answer: it is ordered again. */
void reload_answer(struct keeper *k, const struct order *order);

#endif
