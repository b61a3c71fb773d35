/* overruled: says of which keys of [pool] in the files the running pool takes no notice, because it
 * was started with another value on its command line or in its environment. Used by reload. Goes by
 * what the pool said of itself and what the files say; asks nobody. */
#ifndef STINT_CLI_OVERRULED_H
#define STINT_CLI_OVERRULED_H

#include <jansson.h>

#include "cli/context.h"

/* A line each. changes: only keys that are named in one of these lines; NULL: all. */
void overruled_add(const struct cli *cli, const json_t *changes, struct buf *out);

#endif
