/* strategy: the table of discovery strategies: `discover = STRATEGY ARGS`. A new strategy is one
 * file and one row here. Used by main.c of stint-discover. */
#ifndef STINT_DISCOVER_STRATEGY_H
#define STINT_DISCOVER_STRATEGY_H

#include "worker/discover/listing.h"

struct strategy {
    enum discover_kind kind;
    const char *const *options; /* the discover.KEYs it knows; NULL-terminated */
    list_fn list;               /* NULL: manual */
};

const struct strategy *strategy_of(enum discover_kind kind);
/* RC_INVALID when the job sets a discover.KEY that its strategy does not know. */
MUST_CHECK enum rc strategy_check(
    const struct strategy *strategy, const struct job_spec *job, struct err *err);

#endif
