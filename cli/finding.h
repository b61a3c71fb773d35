/* finding: for which jobs finding items failed. The counts know how many, only the events know
 * which: those since the newest start, which makes every failed discovery claimable again. Used by
 * status, run and wait for an end that is shown, not at each look: it may read many events. */
#ifndef STINT_CLI_FINDING_H
#define STINT_CLI_FINDING_H

#include "cli/overview.h"
#include "common/base/err.h"
#include "common/store/store.h"

/* Fills failed_finding of the jobs. store NULL: nothing is known. */
MUST_CHECK enum rc finding_failed(struct store *store, struct overview *o, struct err *err);

#endif
