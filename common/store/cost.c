#include "common/store/cost.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/exchange.h"
#include "common/store/query.h"

static void describe(struct buf *out, const struct costs *costs, const struct cost *cost)
{
    char claim[CLAIM_TEXT_MAX];
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_num(&j, "cost_usd", cost->usd);
    json_int(&j, "tokens", cost->tokens);
    json_str(&j, "of", cost->of);
    if (costs->run->claim == 0) {
        json_str(&j, "by", "try");
    } else {
        json_str(&j, "claim", claim_format(costs->run->claim, claim));
        json_int(&j, "n", cost->n);
    }
    json_end_object(&j);
}

static enum rc put_one(struct store *store, const struct costs *costs, const struct cost *cost,
    int64_t now, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    describe(&data, costs, cost);
    QUERY q = query(store, Q_COST_PUT);
    put_int(&q, "ts", now);
    put_int(&q, "job_id", costs->stage->job->id);
    put_int(&q, "stage_id", costs->run->stage_id);
    put_id(&q, "item_id", costs->run->item_id);
    put_id(&q, "claim", costs->run->claim);
    put_id(&q, "n", costs->run->claim != 0 ? cost->n : 0);
    put_text(&q, "data", buf_str(&data));
    return query_write(&q, NULL, err);
}

enum rc costs_put(
    struct store *store, const struct costs *costs, int64_t now_wall_ms, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < costs->len; i++)
        rc = put_one(store, costs, &costs->list[i], now_wall_ms, err);
    return rc;
}

enum rc store_cost_of_trial(struct store *store, const struct catalog_stage *stage, int64_t item_id,
    const struct cost *cost, struct err *err)
{
    const struct run run = {.item_id = item_id, .stage_id = stage->id};
    const struct costs costs = {&run, stage, cost, 1};
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    rc = costs_put(store, &costs, clock_wall_ms(), err);
    return txn_end(store, rc, err);
}
