/* home: what the keeper does when the pool's database is lost: moved with its directory, removed,
 * replaced by another file, or damaged. It says so, once, in the log and to the supervisor, and
 * from then on nothing is opened by its path any more. */
#ifndef STINT_KEEPER_HOME_H
#define STINT_KEEPER_HOME_H

#include "supervisor/keeper/keeper.h"

/* True: nothing is lost. With each beat, before each order and before each checkpoint. */
bool home_is_there(struct keeper *k);
/* Before the first opening. */
MUST_CHECK enum rc home_may_open(struct keeper *k, struct err *err);
/* A statement found the file damaged. */
void home_is_damaged(struct keeper *k, const char *text);

#endif
