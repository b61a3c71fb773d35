#include "common/base/clock.h"
#include "common/store/query.h"
#include "common/store/settle.h"

#define INBOX_LOOK 10000 /* counted so far: it matters whether it is empty, not how full */

static enum rc is_due(struct store *store, int64_t now, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_DUE_EXISTS);
    put_int(&q, "now_ms", now);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = get_int(&q, "due") != 0;
    return RC_OK;
}

static enum rc wake(
    struct store *store, int64_t now, int64_t limit, int64_t *ret_woken, struct err *err)
{
    QUERY q = query(store, Q_DUE_WAKE);
    put_int(&q, "now_ms", now);
    put_int(&q, "limit", limit);
    return query_write(&q, ret_woken, err);
}

static enum rc next_due(struct store *store, int64_t *ret, struct err *err)
{
    QUERY q = query(store, Q_DUE_NEXT);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = get_int(&q, "next_attempt_at"); /* null: 0 */
    return RC_OK;
}

enum rc store_wake_due(struct store *store, int64_t limit, int64_t *ret_woken,
    int64_t *ret_next_wall_ms, struct err *err)
{
    int64_t now = clock_wall_ms(), woken = 0, next = 0;
    bool is_any = false;
    enum rc rc = is_due(store, now, &is_any, err); /* the usual look takes no lock */
    if (rc == RC_OK && is_any) {
        rc = txn_begin(store, TXN_PLAIN, err);
        if (rc == RC_OK)
            rc = txn_end(store, wake(store, now, limit, &woken, err), err);
    }
    if (rc == RC_OK)
        rc = next_due(store, &next, err);
    if (rc)
        return rc;
    *ret_woken = woken;
    *ret_next_wall_ms = next;
    return RC_OK;
}

/* ---- rest ---- */

static enum rc is_lane_paused(struct store *store, int64_t stage_id, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_LANES_PAUSED);
    enum rc rc;
    *ret = false;
    while ((rc = query_step(&q, err)) == RC_ROW)
        *ret = *ret || get_int(&q, "stage_id") == stage_id;
    return rc == RC_DONE ? RC_OK : rc;
}

static int64_t weigh_all(void *ctx, int64_t stage_id, int64_t pending)
{
    (void)ctx;
    (void)stage_id;
    return pending;
}

static enum rc add_stages(struct store *store, int64_t job_id, const struct lane_weigher *weigher,
    struct rest *rest, struct err *err)
{
    QUERY q = query(store, Q_REST_COUNTS);
    put_int(&q, "job_id", job_id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        bool is_paused = false;
        int64_t pending = get_int(&q, "pending"), later = get_int(&q, "retry_later");
        int64_t running = get_int(&q, "in_progress"), stage_id = get_int(&q, "stage_id");
        rc = is_lane_paused(store, stage_id, &is_paused, err);
        if (rc)
            return rc;
        rest->moving += pending + later + running;
        rest->running += running;
        if (!is_paused && pending > 0)
            rest->claimable += weigher->weigh(weigher->ctx, stage_id, pending);
        rest->paused += is_paused ? pending + later : 0;
        rest->undone += pending + later + running + get_int(&q, "blocked") + get_int(&q, "held") +
                        get_int(&q, "failed") + get_int(&q, "exhausted") + get_int(&q, "cancelled");
    }
    return rc == RC_DONE ? RC_OK : rc;
}

static enum rc add_inbox(struct store *store, int64_t job_id, struct rest *rest, struct err *err)
{
    QUERY q = query(store, Q_INBOX_WAITING);
    put_int(&q, "job_id", job_id);
    put_int(&q, "limit", INBOX_LOOK);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    rest->moving += get_int(&q, "waiting");
    return RC_OK;
}

/* A job moves while its discovery does. */
static enum rc add_discovery(
    struct store *store, int64_t job_id, struct rest *rest, struct err *err)
{
    QUERY q = query(store, Q_DISCOVERY_MOVES);
    put_int(&q, "job_id", job_id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    rest->moving += get_int(&q, "moving");
    rest->running += get_int(&q, "running");
    return RC_OK;
}

static enum rc look(struct store *store, int64_t job_id, const struct lane_weigher *weigher,
    struct rest *ret, struct err *err)
{
    struct rest rest = {0};
    enum rc rc = add_stages(store, job_id, weigher, &rest, err);
    if (rc == RC_OK)
        rc = add_inbox(store, job_id, &rest, err);
    if (rc == RC_OK && job_id)
        rc = add_discovery(store, job_id, &rest, err);
    if (rc == RC_OK)
        *ret = rest;
    return rc;
}

enum rc store_rest(struct store *store, int64_t job_id, struct rest *ret, struct err *err)
{
    static const struct lane_weigher all = {.weigh = weigh_all};
    return look(store, job_id, &all, ret, err);
}

enum rc store_rest_weighed(
    struct store *store, const struct lane_weigher *weigher, struct rest *ret, struct err *err)
{
    return look(store, 0, weigher, ret, err);
}
