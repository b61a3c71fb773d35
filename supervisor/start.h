/* start: everything that must be so before the loop runs: configuration accepted and sealed, the
 * directory's lock ours, the old pool's last processes gone, memory and pipes made. Allocates; runs
 * once, in stintd. */
#ifndef STINT_SUPERVISOR_START_H
#define STINT_SUPERVISOR_START_H

#include "supervisor/args.h"
#include "supervisor/pool.h"

/* Up to the lock: nothing of the old pool is touched. RC_INVALID: configuration (exit 78);
 * RC_BUSY: another pool (75). */
MUST_CHECK enum rc start_accept(struct pool *pool, const struct args *args, struct err *err);
/* After the lock: ends what the old pool left, makes what the children will share. */
MUST_CHECK enum rc start_prepare(struct pool *pool, struct err *err);
void start_undo(struct pool *pool); /* NULL members are fine */

/* Takes over the options that may change while the pool runs. old: what was in force; NULL: at the
 * start. */
void start_take_options(struct pool *pool, const struct config *old);

#endif
