/* chores: what the keeper does unasked, whenever somebody committed or a time has come: admits the
 * inbox, wakes due retries, ends pauses, wakes idle workers, reports rest and backlog, checkpoints.
 * Called by main.c's loop and after orders. Each chore may be repeated at any time. */
#ifndef STINT_KEEPER_CHORES_H
#define STINT_KEEPER_CHORES_H

#include "supervisor/keeper/keeper.h"

/* Does all of them once, and plans the next look. */
void chores_run(struct keeper *k);
/* With each heartbeat: for clocks that were set, and as a safety net twice a minute. */
void chores_tick(struct keeper *k);
/* Logs the first error after a success; true if rc is RC_OK. */
bool chores_is_ok(struct keeper *k, enum rc rc, const struct err *err);

#endif
