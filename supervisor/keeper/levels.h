/* levels: the tokens in the pool's buckets over a stop: saved at its end, restored at the next
 * start, with what the rate granted in between. Called by answer.c, before the first worker and
 * after the last one. A pool that was killed saves nothing: its next start finds its buckets empty.
 */
#ifndef STINT_KEEPER_LEVELS_H
#define STINT_KEEPER_LEVELS_H

#include "supervisor/keeper/keeper.h"

MUST_CHECK enum rc levels_save(struct keeper *k, struct err *err);
MUST_CHECK enum rc levels_restore(struct keeper *k, struct err *err);

#endif
