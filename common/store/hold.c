#include "common/store/hold.h"

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/query.h"

static enum rc put_row(struct store *store, enum query id, const struct hold *hold, int64_t now,
    int64_t *changes, struct err *err)
{
    int64_t rows = 0;
    QUERY q = query(store, id);
    put_text(&q, "name", hold->resource);
    put_text(&q, "key", hold->key);
    put_text(&q, "reason", "a handler met its limit");
    put_int(&q, "retry_after", hold->until_wall_ms);
    put_int(&q, "now_ms", now);
    enum rc rc = query_write(&q, &rows, err);
    *changes += rows;
    return rc;
}

static enum rc expire(struct store *store, int64_t now, struct err *err)
{
    QUERY q = query(store, Q_HOLD_EXPIRE);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc log_held(struct store *store, const struct hold *hold, int64_t now, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    char claim[CLAIM_TEXT_MAX], until[32];
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "resource", hold->resource);
    if (hold->key[0])
        json_str(&j, "key", hold->key);
    json_str(&j, "retry_after", clock_format_wall(hold->until_wall_ms, until, sizeof until));
    json_str(&j, "claim", claim_format(hold->run->claim, claim));
    json_end_object(&j);
    struct event_ref about = {hold->stage->job->id, hold->stage->id, hold->run->item_id};
    return event_put(store, now, "resource.held", &about, buf_str(&data), err);
}

static enum rc write_hold(struct store *store, const struct hold *hold, struct err *err)
{
    int64_t now = clock_wall_ms(), changes = 0;
    enum rc rc = expire(store, now, err);
    if (rc == RC_OK)
        rc = put_row(store, Q_HOLD_INSERT, hold, now, &changes, err);
    if (rc == RC_OK && changes == 0)
        rc = put_row(store, Q_HOLD_EXTEND, hold, now, &changes, err);
    return rc || changes == 0 ? rc : log_held(store, hold, now, err);
}

enum rc store_hold(struct store *store, const struct hold *hold, struct err *err)
{
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = txn_end(store, write_hold(store, hold, err), err);
    CRASH_POINT("hold.after_commit");
    return rc;
}

enum rc store_holds(struct store *store, hold_fn fn, void *ctx, struct err *err)
{
    int64_t now = clock_wall_ms();
    enum rc rc = expire(store, now, err);
    if (rc)
        return rc;
    QUERY q = query(store, Q_HOLD_LIST);
    put_int(&q, "now_ms", now);
    while ((rc = query_step(&q, err)) == RC_ROW)
        fn(ctx, get_text(&q, "name"), get_int(&q, "retry_after"));
    return rc == RC_DONE ? RC_OK : rc;
}
