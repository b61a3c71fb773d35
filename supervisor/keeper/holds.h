/* holds: the resources that a handler found limited before this pool began are held on. Called by
 * answer.c before the first worker. */
#ifndef STINT_KEEPER_HOLDS_H
#define STINT_KEEPER_HOLDS_H

#include "supervisor/keeper/keeper.h"

MUST_CHECK enum rc holds_restore(struct keeper *k, struct err *err);

#endif
