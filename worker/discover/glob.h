/* glob: the strategy `discover = glob PATTERN`: the paths that a shell's `ls PATTERN` would list,
 * sorted, dangling links included. A relative pattern begins at the configuration's directory. The
 * key is the path as the pattern gives it, the data {"path": …}. */
#ifndef STINT_DISCOVER_GLOB_H
#define STINT_DISCOVER_GLOB_H

#include "worker/discover/listing.h"

MUST_CHECK enum rc glob_strategy(const struct listing *l, struct err *err);

#endif
