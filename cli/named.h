/* named: looks whether the programs and files that a configuration names are there: handlers,
 * lists, what finds items, directories for the pool's own files. Used by `stint check`. Runs
 * nothing, reads no file's content. */
#ifndef STINT_CLI_NAMED_H
#define STINT_CLI_NAMED_H

#include "common/base/buf.h"
#include "common/config/config.h"

/* A line each, with FILE:LINE. Warnings: what may be meant so. */
void named_check(const struct config *config, struct buf *problems, struct buf *warnings);

#endif
