/* exec: the strategy `discover = exec CMD ARGS…`: runs the program in the configuration's directory
 * and reads JSON lines from its standard output while it runs; memory stays bounded. A status
 * other than 0 is an error that carries the tail of its standard error. What it leaves behind is
 * killed. No shell: write `exec sh -c '…'` for one. */
#ifndef STINT_DISCOVER_EXEC_H
#define STINT_DISCOVER_EXEC_H

#include "worker/discover/listing.h"

MUST_CHECK enum rc exec_strategy(const struct listing *l, struct err *err);

#endif
