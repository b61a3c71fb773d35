/* exchange: finish attempts and claim the next ones, in one transaction that may be repeated. Used
 * by the worker only. Direct for now; shared commits will execute the same structs out of a
 * mailbox.
 */
#ifndef STINT_STORE_EXCHANGE_H
#define STINT_STORE_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"
#include "common/store/cost.h"
#include "common/store/ending.h"
#include "common/store/spawned.h"

/* A claimed stage run: all that its handler may know. Owned by the caller: run_fini. */
struct run {
    int64_t id; /* item_stages.id; 0: none */
    int64_t item_id, stage_id;
    int64_t claim;
    struct end_state state; /* attempts includes this one */
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
    const char *version;     /* of the handler that did it; NULL: none is known */
    const char *result;      /* END_DONE: JSON text */
    const char *why;         /* error, or why skipped; NULL for done */
    const char *how;         /* "exit 75", "signal 9", "timeout"; for events; NULL */
    const char *stderr_tail; /* NULL or "" when there was none */
    const char *stdout_tail; /* the same */
    const char *log_tail;    /* the same of its log messages, as lines "LEVEL: TEXT" */
    const char *certificate; /* how its process ended and what it used: a JSON object; NULL: none */
    int64_t after_ms;        /* −1: none */
    bool is_suspect;         /* may take others down with it: its next attempt runs alone */
    int64_t elapsed_ms;
    int64_t slot, pid; /* the worker's, for events; pid 0: not said */
    uint64_t random;   /* for the jitter: the same when repeated */
    /* What the handler said and no note has written yet. */
    const char *progress, *checkpoint; /* JSON text; NULL: nothing new */
    const struct spawn_item *items;
    size_t items_len;
    const struct cost *costs; /* recorded even when the claim is lost */
    size_t costs_len;
};

/* What the worker wants next: up to claims_len runs of one of these stages, under the numbers from
 * claim on, one a row. A run that is suspect comes alone. */
struct wish {
    const int64_t *stage_ids;
    const uint32_t *rooms; /* so many of each stage, 0: of this one none; NULL: claims_len */
    size_t stages_len;
    int64_t favoured; /* a stage that comes first, unless others have waited much longer; 0: none */
    int64_t claim;
    size_t claims_len;
    /* A word that must still have this value when the write lock is held, else nothing is claimed:
     * the JobSpec that the wish was made by is no longer the database's. NULL: none. */
    const _Atomic uint64_t *fence;
    uint64_t fence_value;
    int64_t started_wall_ms; /* what started_at says: when its tokens were had; 0: now */
    /* Called under the write lock when that is long ago; returns for how many runs there are tokens
     * now, 0: nothing is claimed. May be NULL. */
    size_t (*renew)(void *ctx, int64_t *ret_started_wall_ms);
    void *renew_ctx;
    /* So many workers share what is claimable: of what could not begin at once, nobody takes more
     * than his part. 0, or no catalogue: all that there is room for. */
    uint32_t sharers;
    const struct catalog *catalog;
    bool is_repeat; /* only look for the rows that got these numbers; none: wish again under new
                       ones */
};

#define EXCHANGE_RUNS_MAX 1000       /* outcomes, and claims, of one exchange */
#define FAVOUR_MS INT64_C(60 * 1000) /* so much waiting a favoured stage goes before others */

struct exchange {
    const struct outcome *const *outcomes;
    size_t outcomes_len;
    const struct wish *wish; /* NULL: none */
    size_t failed;           /* out, on an error: the outcome that it is about; else outcomes_len */
    const struct catalog *catalog; /* the jobs that items may be spawned into; NULL: only the run's
                                      own */
};

/* What one exchange brought. */
struct exchange_answer {
    struct run *runs; /* owned: exchange_answer_fini; whoever takes a run sets its id to 0 */
    size_t runs_len;
    bool *is_lost;     /* of each outcome: its claim was gone: nothing was recorded (event
                          claim.lost) */
    int64_t claimable; /* further stage runs made claimable for others: wake that many */
};
void exchange_answer_fini(struct exchange_answer *answer);

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

/* Lanes whose job or stage is paused are passed over. On an error nothing is known: send the same
 * exchange again with wish->is_repeat = true; outcomes recognise their own earlier commit by
 * themselves. RC_INVALID, RC_LIMIT: the outcome `failed` will never be taken as it is. */
MUST_CHECK enum rc store_exchange(
    struct store *store, struct exchange *x, struct exchange_answer *ret, struct err *err);

/* True while the row still bears this claim: looked at with each heartbeat. */
MUST_CHECK enum rc store_claim_is_mine(
    struct store *store, const struct run *run, bool *ret, struct err *err);

#endif
