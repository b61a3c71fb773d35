/* requeue: takes the claims of ended lives back, inside the caller's transaction: each run becomes
 * what the table of endings says, with its event. Called by settle.c only. */
#ifndef STINT_STORE_REQUEUE_H
#define STINT_STORE_REQUEUE_H

#include "common/store/ending.h"
#include "common/store/internal.h"

struct requeue {
    const struct catalog *catalog;
    int64_t first_claim, last_claim;
    int64_t last_begun; /* up to here END_INTERRUPTED, beyond it END_STOPPED */
    bool is_long_gone;  /* their pool died, nobody knows when */
    const char *why;    /* short text for the events */
    int64_t now_wall_ms;
};

MUST_CHECK enum rc requeue_claims(
    struct store *store, const struct requeue *r, int64_t *ret_requeued, struct err *err);
/* Whether any run is in progress under a claim of that range. */
MUST_CHECK enum rc requeue_is_needed(
    struct store *store, int64_t first_claim, int64_t last_claim, bool *ret, struct err *err);

#endif
