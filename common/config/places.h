/* places: whether the files that a pool makes for itself can be where [pool] has them: database,
 * socket, pid file, log. Looks at the file system, makes nothing. Used by the supervisor before it
 * starts, and by `stint check`. */
#ifndef STINT_CONFIG_PLACES_H
#define STINT_CONFIG_PLACES_H

#include "common/base/buf.h"
#include "common/config/config.h"

/* A line each, with the place of its key. warnings: takes what the start of a service may mend
 * before the pool starts; NULL: that is a problem, too. */
void places_check(const struct config *config, struct buf *problems, struct buf *warnings);

/* The environment says where database or socket lie: then a file may have many pools. */
bool places_by_environment(const struct config *config);

#endif
