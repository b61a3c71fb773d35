/* users: `user =` of a stage: a user's name, and whether handlers may get that user's rights here:
 * there is such a user, we are root, and the user cannot open the database. Used by values.c, and
 * by whoever looks at places (places.h). Looks into the user database and at the file system. */
#ifndef STINT_CONFIG_USERS_H
#define STINT_CONFIG_USERS_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/config/config.h"

/* ret: USER_NAME_MAX bytes. */
MUST_CHECK enum rc user_parse(const char *value, char *ret, struct err *err);
/* A line for each stage whose user cannot be had. */
void users_check(const struct config *config, struct buf *problems);

#endif
