/* user: from root to the user that the pool runs as: groups, gid, uid, and a look at whether it
 * really happened. Before anything else is opened. In stintd only. */
#ifndef STINT_SUPERVISOR_USER_H
#define STINT_SUPERVISOR_USER_H

#include "common/base/err.h"

/* Becomes the user of this name for good; HOME, USER, LOGNAME and SHELL become that user's. Nothing
 * to do when it is this one already. RC_INVALID: no such user; RC_SYS: not allowed, or refused. */
MUST_CHECK enum rc user_become(const char *name, struct err *err);

#endif
