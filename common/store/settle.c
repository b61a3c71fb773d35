#include "common/store/settle.h"

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/pause.h"
#include "common/store/query.h"
#include "common/store/requeue.h"

/* ---- pools ---- */

struct pool_start {
    const struct catalog *catalog;
    const char *host;
    int64_t pid;
    struct pool_row row;
    int64_t requeued;
};

static enum rc last_life(struct store *store, int64_t *ret, struct err *err)
{
    QUERY q = query(store, Q_POOL_LAST_LIFE);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = get_int(&q, "last_life");
    return RC_OK;
}

/* The next block of lives, and its row. Numbers are never given out twice: the newest row counts,
 * retired or not, and it is on disk before anybody uses them. */
static enum rc insert_pool(struct store *store, const char *host, int64_t pid, int64_t now,
    struct pool_row *ret, struct err *err)
{
    int64_t newest = 0;
    enum rc rc = last_life(store, &newest, err);
    if (rc)
        return rc;
    if (newest > LIFE_MAX - LIVES_PER_BLOCK)
        return err_set(err, RC_LIMIT, "database %s: life numbers are used up", store->path);
    struct pool_row row = {.first_life = newest + 1, .last_life = newest + LIVES_PER_BLOCK};
    QUERY q = query(store, Q_POOL_INSERT);
    put_text(&q, "host", host);
    put_int(&q, "pid", pid);
    put_int(&q, "first_life", row.first_life);
    put_int(&q, "last_life", row.last_life);
    put_int(&q, "now_ms", now);
    rc = query_write(&q, NULL, err);
    if (rc)
        return rc;
    row.id = store->driver->last_id(store->db);
    *ret = row;
    return RC_OK;
}

static enum rc log_start(
    struct store *store, const struct pool_start *p, int64_t now, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_int(&j, "pool", p->row.id);
    json_str(&j, "host", p->host);
    json_int(&j, "pid", p->pid);
    json_int(&j, "first_life", p->row.first_life);
    json_int(&j, "last_life", p->row.last_life);
    json_int(&j, "requeued", p->requeued);
    json_end_object(&j);
    struct event_ref about = {0, 0, 0};
    return event_put(store, now, "run_start", &about, buf_str(&data), err);
}

static enum rc log_end(
    struct store *store, const char *host, int64_t pid, int64_t now, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "host", host);
    json_int(&j, "pid", pid);
    json_end_object(&j);
    struct event_ref about = {0, 0, 0};
    return event_put(store, now, "run_end", &about, buf_str(&data), err);
}

static enum rc retire_all(struct store *store, int64_t now, struct err *err)
{
    QUERY q = query(store, Q_POOL_RETIRE_ALL);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc forget_lives(struct store *store, int64_t before, struct err *err)
{
    QUERY q = query(store, Q_LIVES_FORGET);
    put_int(&q, "before_life", before);
    return query_write(&q, NULL, err);
}

static enum rc start_pool(struct store *store, struct pool_start *p, struct err *err)
{
    int64_t now = clock_wall_ms();
    struct requeue r = {.catalog = p->catalog,
        .first_claim = 0,
        .last_begun = INT64_MAX, /* nobody knows */
        .is_long_gone = true,
        .why = "its pool is gone",
        .now_wall_ms = now};
    enum rc rc = retire_all(store, now, err);
    if (rc == RC_OK)
        rc = insert_pool(store, p->host, p->pid, now, &p->row, err);
    r.last_claim = claim_first(p->row.first_life) - 1;
    if (rc == RC_OK)
        rc = requeue_claims(store, &r, &p->requeued, err);
    if (rc == RC_OK)
        rc = forget_lives(store, p->row.first_life, err);
    if (rc == RC_OK)
        rc = pause_start_over(store, now, err);
    if (rc == RC_OK)
        rc = log_start(store, p, now, err);
    return rc;
}

enum rc store_pool_start(struct store *store, const struct catalog *catalog, const char *host,
    int64_t pid, struct pool_row *ret, int64_t *ret_requeued, struct err *err)
{
    struct pool_start p = {.catalog = catalog, .host = host, .pid = pid};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = start_pool(store, &p, err);
    CRASH_POINT("requeue.before_commit");
    rc = txn_end(store, rc, err);
    CRASH_POINT("requeue.after_commit");
    if (rc)
        return rc;
    *ret = p.row;
    *ret_requeued = p.requeued;
    return RC_OK;
}

enum rc store_pool_lives(
    struct store *store, const char *host, int64_t pid, struct pool_row *ret, struct err *err)
{
    struct pool_row row = {0};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = txn_end(store, insert_pool(store, host, pid, clock_wall_ms(), &row, err), err);
    if (rc == RC_OK)
        *ret = row;
    return rc;
}

static enum rc finish_pool(struct store *store, const char *host, int64_t pid, struct err *err)
{
    int64_t changes = 0, now = clock_wall_ms();
    {
        QUERY q = query(store, Q_POOL_RETIRE);
        put_text(&q, "host", host);
        put_int(&q, "pid", pid);
        put_int(&q, "now_ms", now);
        enum rc rc = query_write(&q, &changes, err);
        if (rc)
            return rc;
    }
    return changes ? log_end(store, host, pid, now, err) : RC_OK;
}

enum rc store_pool_finish(struct store *store, const char *host, int64_t pid, struct err *err)
{
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    return rc ? rc : txn_end(store, finish_pool(store, host, pid, err), err);
}

/* ---- lives ---- */

static enum rc is_settled(struct store *store, int64_t life, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_LIFE_SETTLED);
    put_int(&q, "life", life);
    enum rc rc = query_one(&q, err);
    *ret = rc == RC_ROW;
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc mark_settled(struct store *store, int64_t life, struct err *err)
{
    QUERY q = query(store, Q_LIFE_SETTLE);
    put_int(&q, "life", life);
    return query_write(&q, NULL, err);
}

static enum rc settle(struct store *store, const struct catalog *catalog,
    const struct settlement *s, int64_t *ret_requeued, struct err *err)
{
    int64_t now = clock_wall_ms();
    struct requeue r = {
        .catalog = catalog,
        .first_claim = claim_first(s->life),
        .last_claim = claim_last(s->life),
        .last_begun = s->is_interruption ? s->last_begun : 0,
        .why = s->cause,
        .now_wall_ms = now,
    };
    bool is_known = false;
    enum rc rc = requeue_claims(store, &r, ret_requeued, err);
    if (rc == RC_OK)
        rc = is_settled(store, s->life, &is_known, err);
    if (rc || is_known)
        return rc;
    rc = mark_settled(store, s->life, err);
    if (rc || s->is_quiet)
        return rc;
    struct event_ref about = {0, 0, 0};
    return event_put(store, now, "worker.died", &about, s->certificate, err);
}

/* Nothing to write: a repeat, or a quiet end with nothing in hand. The life is over, so nobody can
 * claim under it between this look and the answer. */
static enum rc is_nothing_to_do(
    struct store *store, const struct settlement *s, bool *ret, struct err *err)
{
    bool is_held = false, is_known = false;
    enum rc rc = requeue_is_needed(store, claim_first(s->life), claim_last(s->life), &is_held, err);
    if (rc == RC_OK && !is_held)
        rc = is_settled(store, s->life, &is_known, err);
    *ret = !is_held && (is_known || s->is_quiet);
    return rc;
}

enum rc store_settle_life(struct store *store, const struct catalog *catalog,
    const struct settlement *s, int64_t *ret_requeued, struct err *err)
{
    int64_t requeued = 0;
    bool is_done = false;
    enum rc rc = is_nothing_to_do(store, s, &is_done, err);
    if (rc == RC_OK && !is_done) {
        rc = txn_begin(store, TXN_PLAIN, err);
        if (rc)
            return rc;
        rc = settle(store, catalog, s, &requeued, err);
        CRASH_POINT("requeue.before_commit");
        rc = txn_end(store, rc, err);
        CRASH_POINT("requeue.after_commit");
    }
    if (rc == RC_OK)
        *ret_requeued = requeued;
    return rc;
}
