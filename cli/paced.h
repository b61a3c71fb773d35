/* paced: what `status` says of lanes that wait for a token: one line a resource. Asks the running
 * pool; says nothing when there is none, or nothing waits. */
#ifndef STINT_CLI_PACED_H
#define STINT_CLI_PACED_H

#include "cli/context.h"
#include "cli/overview.h"

/* "waits for resource github (5000/h): capture.fetch; next token in 3s". only: of this job; NULL:
 * all. */
void paced_add_notes(
    const struct cli *cli, const struct overview *view, const char *only, struct buf *out);

#endif
