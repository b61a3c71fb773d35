/* cost: money and tokens that attempts spend: an event each, once for each number of a claim, in
 * the caller's transaction. Recorded even when the claim is lost: what is spent is spent. Called by
 * notes.c (at once) and outcome.c (what no note could write). */
#ifndef STINT_STORE_COST_H
#define STINT_STORE_COST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct run;
struct catalog_stage;
struct store;

struct cost {
    int64_t n; /* from 1, in the order said */
    double usd;
    int64_t tokens;
    char *of; /* a label; NULL: none */
};

/* Of one run. What is booked already stays as it is. */
struct costs {
    const struct run *run;
    const struct catalog_stage *stage;
    const struct cost *list;
    size_t len;
};
/* Of a trial, which has no claim: data.by is "try". item_id 0: of no item that is known. In a
 * transaction of its own. */
MUST_CHECK enum rc store_cost_of_trial(struct store *store, const struct catalog_stage *stage,
    int64_t item_id, const struct cost *cost, struct err *err);

MUST_CHECK enum rc costs_put(
    struct store *store, const struct costs *costs, int64_t now_wall_ms, struct err *err);

#endif
