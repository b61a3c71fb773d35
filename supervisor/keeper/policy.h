/* policy: what the keeper decides from numbers. Used by chores.c. Pure. */
#ifndef STINT_KEEPER_POLICY_H
#define STINT_KEEPER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/settle.h"

/* All is at rest, or what still moves sits in paused stages: there is nothing to wait for but
 * people and long pauses. A retry that is not yet due elsewhere is a reason to go on waiting. */
bool policy_is_at_rest(const struct rest *rest);

/* told: what was said last, −1: nothing. A first or last claimable run, or a change by a quarter.
 */
bool policy_is_backlog_notable(int64_t told, int64_t claimable);

#endif
