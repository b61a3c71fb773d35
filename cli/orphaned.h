/* orphaned: the open work of jobs that a changed configuration takes out: it stays and is not run.
 * Said, in numbers, by reload and config diff. Reads the store if there is one; changes nothing. */
#ifndef STINT_CLI_ORPHANED_H
#define STINT_CLI_ORPHANED_H

#include "cli/context.h"

/* A line for each job that the database has open work of, that `now` does not have, and that is
 * among `before` (NULL: in the lines of `changes`, as the pool words them). Opens the store for
 * reading; without one says nothing, when it cannot be read says why. */
void orphaned_add(struct cli *cli, const struct config *now, const struct config *before,
    const json_t *changes, struct buf *out);

#endif
