/* reload: the keeper's part of a reload: the rows of a proposed configuration, and the word that
 * keeps workers of an older JobSpec from claiming, become true in one commit. Also where the keeper
 * gets its configuration from at its start. Used by main.c and answer.c. */
#ifndef STINT_KEEPER_RELOAD_H
#define STINT_KEEPER_RELOAD_H

#include "common/ipc/orders.h"
#include "supervisor/keeper/keeper.h"

/* Takes a configuration out of the box; generation 0: the one in force. */
MUST_CHECK enum rc reload_take(struct keeper *k, uint64_t generation, struct err *err);

#endif
