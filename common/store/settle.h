/* settle: the keeper's writes: pools and blocks of lives, requeue of ended lives, due retries, end
 * of pauses, rest. Every one may be repeated. */
#ifndef STINT_STORE_SETTLE_H
#define STINT_STORE_SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"

struct pool_row {
    int64_t id, first_life, last_life;
};

/* A new pool: retires older rows of pools, requeues their claims (interrupted), inserts this pool's
 * row with a fresh block of lives; event run_start. Committed FULL whatever the durability.
 * *ret_requeued: how many claims came back. */
MUST_CHECK enum rc store_pool_start(struct store *store, const struct catalog *catalog,
    const char *host, int64_t pid, struct pool_row *ret, int64_t *ret_requeued, struct err *err);
/* A further block for the same pool (a further row); committed FULL. */
MUST_CHECK enum rc store_pool_lives(
    struct store *store, const char *host, int64_t pid, struct pool_row *ret, struct err *err);
/* Retires all rows of this host and pid; event run_end. */
MUST_CHECK enum rc store_pool_finish(
    struct store *store, const char *host, int64_t pid, struct err *err);

/* How a life ended, for its event worker.died (none when `is_quiet`). JSON object text. */
struct settlement {
    int64_t life;
    int64_t last_begun;      /* claims beyond it had not begun: given back, nothing counted */
    bool is_interruption;    /* false: the pool stopped; given back, nothing counted */
    bool is_quiet;           /* retired with nothing claimed: no worker.died event */
    const char *certificate; /* JSON object for the event's data; NULL: {} */
    const char *cause; /* short text for attempt.interrupted, e.g. "worker killed by signal 9" */
};
/* Requeues everything that the life still holds: one range. *ret_requeued: rows; claimable ones are
 * to be woken. Repeated: 0 rows, and no second event. */
MUST_CHECK enum rc store_settle_life(struct store *store, const struct catalog *catalog,
    const struct settlement *s, int64_t *ret_requeued, struct err *err);

/* retry_later whose time has come → pending, up to limit. *ret_next_wall_ms: when the next one is
 * due, 0: none. */
MUST_CHECK enum rc store_wake_due(struct store *store, int64_t limit, int64_t *ret_woken,
    int64_t *ret_next_wall_ms, struct err *err);
/* Lifts pauses whose retry_after has passed. *ret_next_wall_ms as above. */
MUST_CHECK enum rc store_lift_pauses(
    struct store *store, int64_t *ret_lifted, int64_t *ret_next_wall_ms, struct err *err);

struct rest {
    int64_t moving;    /* runs pending, in_progress or retry_later; inbox rows not yet admitted */
    int64_t claimable; /* pending, in lanes that are not paused */
    int64_t running;   /* in_progress */
    int64_t paused;    /* pending or retry_later in paused stages */
    int64_t undone;    /* runs that are neither done nor skipped */
};
/* How many of a lane's pending runs count as claimable. */
struct lane_weigher {
    int64_t (*weigh)(void *ctx, int64_t stage_id, int64_t pending);
    void *ctx;
};
/* As store_rest of all jobs, with the lanes weighed. */
MUST_CHECK enum rc store_rest_weighed(
    struct store *store, const struct lane_weigher *weigher, struct rest *ret, struct err *err);
/* O(stages). Everything is at rest when moving == 0. job_id 0: all jobs. */
MUST_CHECK enum rc store_rest(
    struct store *store, int64_t job_id, struct rest *ret, struct err *err);

#endif
