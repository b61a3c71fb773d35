/* resident_end: what becomes of the runs that a resident had in flight when it ended, and how that
 * is told. Called by resident.c; concludes attempts. */
#ifndef STINT_WORKER_RESIDENT_END_H
#define STINT_WORKER_RESIDENT_END_H

#include "worker/worker.h"

/* Why those that it had have no outcome, in one line. */
void resident_explain(const struct resident *r, struct buf *out);
/* Why it cannot be used. */
void resident_explain_no_start(const struct resident *r, struct buf *out);
/* What we decided when we gave a run up (a->cut is not CUT_NONE), whatever the handler says. */
enum end_cause resident_cut_cause(struct attempt *a);
void resident_settle_calls(struct worker *w);

#endif
