/* merge: adds one item inside the caller's transaction: "make it so". New: created. Known: its data
 * and priority are merged by the job's rules, and what the rules say is reopened. Called by add.c
 * (items from programs) and inbox.c (items from SQL). */
#ifndef STINT_STORE_MERGE_H
#define STINT_STORE_MERGE_H

#include "common/store/add.h"
#include "common/store/internal.h"

/* Kept from item to item of one transaction. */
struct merge_plan {
    int64_t job_id;            /* whose stages these are; 0: not read yet */
    struct plan_stage *stages; /* what a new item gets runs for */
    size_t len;
    bool expects_known; /* the item before was known: look for the next one before inserting it */
};

struct merge {
    struct store *store;
    const struct catalog_job *job;
    const struct add_options *opts;
    struct add_report *report;
    int64_t now_wall_ms;
    struct merge_plan *plan; /* begins as {0} in every transaction */
    bool wants_rerun;        /* open again what is complete */
};

void merge_plan_fini(struct merge_plan *plan);

/* RC_INVALID, RC_LIMIT: the item is wrong; nothing was written for it. */
MUST_CHECK enum rc merge_item(const struct merge *m, const struct add_item *item, struct err *err);
/* queued_at − priority × ageing, the credit at most 7 days: the smaller, the sooner. */
int64_t merge_rank(int64_t queued_at_ms, int64_t priority, int64_t ageing_ms);

#endif
