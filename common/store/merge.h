/* merge: adds one item inside the caller's transaction: "make it so". New: created. Known: its data
 * and priority are merged by the job's rules, and what the rules say is reopened. Called by add.c
 * (items from programs) and inbox.c (items from SQL). */
#ifndef STINT_STORE_MERGE_H
#define STINT_STORE_MERGE_H

#include "common/store/add.h"
#include "common/store/internal.h"

struct merge {
    struct store *store;
    const struct catalog_job *job;
    const struct add_options *opts;
    struct add_report *report;
    int64_t now_wall_ms;
    bool wants_rerun; /* open again what is complete */
};

/* RC_INVALID, RC_LIMIT: the item is wrong; nothing was written for it. */
MUST_CHECK enum rc merge_item(const struct merge *m, const struct add_item *item, struct err *err);
/* queued_at − priority × ageing, the credit at most 7 days: the smaller, the sooner. */
int64_t merge_rank(int64_t queued_at_ms, int64_t priority, int64_t ageing_ms);

#endif
