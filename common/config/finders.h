/* finders: whether what a job finds its items by is there: its list, the program that lists them,
 * the directory of its pattern. Looks at the file system in bounded time, runs nothing. Used by the
 * supervisor when it takes a configuration over, and by `stint check`. */
#ifndef STINT_CONFIG_FINDERS_H
#define STINT_CONFIG_FINDERS_H

#include "common/base/buf.h"
#include "common/config/config.h"

/* A line each, with the place of the key. warnings: files that match a pattern may come later; it
 * is worth a word all the same. NULL: patterns are not looked at. */
void finders_check(const struct config *config, struct buf *problems, struct buf *warnings);

#endif
