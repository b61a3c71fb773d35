/* exchange: finish one attempt and claim the next, in one transaction that may be repeated. Used by
 * the worker only. Direct for now; shared commits will execute the same structs out of a mailbox.
 */
#ifndef STINT_STORE_EXCHANGE_H
#define STINT_STORE_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"
#include "common/store/ending.h"

/* A claimed stage run: all that its handler may know. Owned by the caller: run_fini. */
struct run {
    int64_t id; /* item_stages.id; 0: none */
    int64_t item_id, stage_id;
    int64_t claim;
    struct end_state state; /* attempts includes this one */
    bool is_suspect;
    int64_t started_wall_ms;
    char *key, *data; /* data: JSON text */
    char *checkpoint; /* JSON text or NULL */
    char *inputs;     /* JSON object {STAGE: result or null} of the stages before */
};

void run_fini(struct run *run);

/* The end of an attempt. Texts are borrowed. */
struct outcome {
    const struct run *run;
    const struct catalog_stage *stage;
    enum end_cause cause;
    const char *result;      /* END_DONE: JSON text */
    const char *why;         /* error, or why skipped; NULL for done */
    const char *how;         /* "exit 75", "signal 9", "timeout"; for events; NULL */
    const char *stderr_tail; /* NULL or "" when there was none */
    int64_t after_ms;        /* −1: none */
    int64_t elapsed_ms;
    int64_t slot, pid; /* the worker's, for events; pid 0: not said */
    uint64_t random;   /* for the jitter: the same when repeated */
};

/* What the worker wants next: one run out of any of these stages, under this claim number. */
struct wish {
    const int64_t *stage_ids;
    size_t stages_len;
    int64_t claim;
    /* A word that must still have this value when the write lock is held, else nothing is claimed:
     * the JobSpec that the wish was made by is no longer the database's. NULL: none. */
    const _Atomic uint64_t *fence;
    uint64_t fence_value;
    int64_t started_wall_ms; /* what started_at says: when its tokens were had; 0: now */
    /* Called under the write lock when that is long ago: false: there are no tokens any more, so
     * nothing is claimed. May be NULL. */
    bool (*renew)(void *ctx, int64_t *ret_started_wall_ms);
    void *renew_ctx;
    bool is_repeat; /* only look for the row that got this number; none: wish again under a new one
                     */
};

struct exchange_answer {
    bool is_outcome_lost; /* the claim was gone: nothing of the outcome was recorded (event
                             claim.lost) */
    struct run run;       /* run.id 0: nothing claimable */
    int64_t claimable;    /* further stage runs made claimable for others: wake that many */
};

/* The first claimable run of a lane; id 0: there is none, or the lane is paused. */
struct lane_head {
    int64_t id, rank;
    int64_t since_wall_ms; /* claimable since; store_look_lanes only */
};
/* A look without the lock at each of these lanes: what a wish would choose from. ret: len. */
MUST_CHECK enum rc store_look_lanes(struct store *store, const int64_t *stage_ids, size_t len,
    struct lane_head *ret, struct err *err);
static inline bool lane_head_precedes(const struct lane_head *a, const struct lane_head *b)
{
    return a->rank < b->rank || (a->rank == b->rank && a->id < b->id);
}

/* Either part may be NULL. Lanes whose job or stage is paused are passed over. On an error nothing
 * is known: send the same exchange again with wish->is_repeat = true; outcomes recognise their own
 * earlier commit by themselves. ret: fini its run. */
MUST_CHECK enum rc store_exchange(struct store *store, const struct outcome *outcome,
    const struct wish *wish, struct exchange_answer *ret, struct err *err);

/* True while the row still bears this claim: looked at with each heartbeat. */
MUST_CHECK enum rc store_claim_is_mine(
    struct store *store, const struct run *run, bool *ret, struct err *err);

#endif
