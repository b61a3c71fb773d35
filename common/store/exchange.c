#include "common/store/exchange.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/json.h"
#include "common/store/outcome.h"
#include "common/store/query.h"

/* Waited for the write lock any longer, what a worker took before is no measure of a rate. */
#define TOKENS_FRESH_MS 100

struct id_list {
    int64_t *ids;
    size_t len;
};

static void cleanup_ids(struct id_list *list)
{
    free(list->ids);
}

void run_fini(struct run *run)
{
    free(run->key);
    free(run->data);
    free(run->checkpoint);
    free(run->inputs);
    *run = (struct run){0};
}

static enum rc list_paused(struct store *store, struct id_list *ret, struct err *err)
{
    QUERY q = query(store, Q_LANES_PAUSED);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        ret->ids = xrealloc(ret->ids, (ret->len + 1) * sizeof *ret->ids);
        ret->ids[ret->len++] = get_int(&q, "stage_id");
    }
    return rc == RC_DONE ? RC_OK : rc;
}

static bool has_id(const struct id_list *list, int64_t id)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->ids[i] == id)
            return true;
    }
    return false;
}

static enum rc pick_in_lane(
    struct store *store, int64_t stage_id, struct lane_head *best, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_PICK);
    put_int(&q, "stage_id", stage_id);
    enum rc rc = query_one(&q, err);
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc != RC_ROW)
        return rc;
    struct lane_head p = {.id = get_int(&q, "id"), .rank = get_int(&q, "rank")};
    if (!best->id || lane_head_precedes(&p, best))
        *best = p;
    return RC_OK;
}

static enum rc pick_run(
    struct store *store, const struct wish *wish, struct lane_head *ret, struct err *err)
{
    CLEANUP(cleanup_ids) struct id_list paused = {0};
    enum rc rc = list_paused(store, &paused, err);
    *ret = (struct lane_head){0};
    for (size_t i = 0; rc == RC_OK && i < wish->stages_len; i++) {
        if (!has_id(&paused, wish->stage_ids[i]))
            rc = pick_in_lane(store, wish->stage_ids[i], ret, err);
    }
    return rc;
}

/* The run that an exchange whose answer was lost has claimed; 0: none. */
static enum rc find_claimed(struct store *store, int64_t claim, int64_t *ret_id, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_FIND);
    put_int(&q, "claim", claim);
    enum rc rc = query_one(&q, err);
    *ret_id = rc == RC_ROW ? get_int(&q, "id") : 0;
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

static bool is_fenced(const struct wish *wish)
{
    return wish->fence && atomic_load(wish->fence) != wish->fence_value;
}

/* *ret_id: the run claimed (0: none); *ret_is_new: by this very exchange. */
static enum rc grant(struct store *store, const struct wish *wish, int64_t now, int64_t *ret_id,
    bool *ret_is_new, struct err *err)
{
    *ret_is_new = false;
    if (wish->is_repeat)
        return find_claimed(store, wish->claim, ret_id, err);
    int64_t started = wish->started_wall_ms ? wish->started_wall_ms : now;
    if (wish->renew && now - started > TOKENS_FRESH_MS && !wish->renew(wish->renew_ctx, &started))
        return RC_OK;
    if (is_fenced(wish)) /* a reload was committed before we got the lock */
        return RC_OK;
    struct lane_head best = {0};
    enum rc rc = pick_run(store, wish, &best, err);
    if (rc || !best.id)
        return rc;
    QUERY q = query(store, Q_CLAIM_TAKE);
    put_int(&q, "id", best.id);
    put_int(&q, "claim", wish->claim);
    put_int(&q, "started_ms", started);
    put_int(&q, "now_ms", now);
    int64_t changes = 0;
    rc = query_write(&q, &changes, err);
    if (rc == RC_OK && changes == 1) {
        *ret_id = best.id;
        *ret_is_new = true;
    }
    return rc;
}

static enum rc read_inputs(struct store *store, struct run *run, struct err *err)
{
    CLEANUP(buf_fini) struct buf inputs = BUF_INIT;
    struct json j;
    json_init(&j, &inputs);
    json_open_object(&j, NULL);
    QUERY q = query(store, Q_CLAIM_INPUTS);
    put_int(&q, "stage_id", run->stage_id);
    put_int(&q, "item_id", run->item_id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW)
        json_raw(&j, get_text(&q, "stage"), get_text(&q, "data"));
    if (rc != RC_DONE)
        return rc;
    json_end_object(&j);
    run->inputs = buf_take(&inputs);
    return RC_OK;
}

/* After the commit. RC_OK with run->id 0: somebody took the claim away in between. */
static enum rc read_run(
    struct store *store, int64_t id, int64_t claim, struct run *run, struct err *err)
{
    {
        QUERY q = query(store, Q_CLAIM_READ);
        put_int(&q, "id", id);
        put_int(&q, "claim", claim);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW)
            return rc == RC_NOTFOUND ? RC_OK : rc;
        const char *checkpoint = get_text(&q, "checkpoint");
        *run = (struct run){
            .id = id,
            .claim = claim,
            .item_id = get_int(&q, "item_id"),
            .stage_id = get_int(&q, "stage_id"),
            .state = {get_int(&q, "attempts"), get_int(&q, "interruptions"), get_int(&q, "streak")},
            .is_suspect = get_int(&q, "suspect") != 0,
            .started_wall_ms = get_int(&q, "started_at"),
            .key = xstrdup(get_text(&q, "item_key")),
            .data = xstrdup(get_text(&q, "data")),
            .checkpoint = checkpoint ? xstrdup(checkpoint) : NULL,
        };
    }
    enum rc rc = read_inputs(store, run, err);
    if (rc)
        run_fini(run);
    return rc;
}

struct exchange {
    const struct outcome *outcome;
    const struct wish *wish;
    const char *result;
    struct outcome_effect effect;
    int64_t claimed; /* item_stages.id; 0: none */
    bool is_claim_new;
};

static enum rc execute(struct store *store, struct exchange *x, struct err *err)
{
    int64_t now = clock_wall_ms();
    enum rc rc = RC_OK;
    if (x->outcome)
        rc = outcome_apply(store, x->outcome, x->result, now, &x->effect, err);
    if (rc == RC_OK && x->wish)
        rc = grant(store, x->wish, now, &x->claimed, &x->is_claim_new, err);
    return rc;
}

static enum rc transact(struct store *store, struct exchange *x, struct err *err)
{
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    rc = execute(store, x, err);
    if (x->outcome)
        CRASH_POINT("outcome.before_commit");
    if (x->is_claim_new)
        CRASH_POINT("claim.before_commit");
    rc = txn_end(store, rc, err);
    if (x->outcome)
        CRASH_POINT("outcome.after_commit");
    if (x->is_claim_new)
        CRASH_POINT("claim.after_commit");
    return rc;
}

/* A look without the lock: idle workers that are woken for nothing must not queue for it. */
static enum rc is_worth_it(struct store *store, const struct wish *wish, bool *ret, struct err *err)
{
    struct lane_head best = {0};
    enum rc rc = wish->is_repeat ? RC_OK : pick_run(store, wish, &best, err);
    *ret = wish->is_repeat || best.id;
    return rc;
}

static enum rc look_lane(
    struct store *store, int64_t stage_id, struct lane_head *ret, struct err *err)
{
    QUERY q = query(store, Q_LANE_HEAD);
    put_int(&q, "stage_id", stage_id);
    enum rc rc = query_one(&q, err);
    if (rc == RC_ROW)
        *ret =
            (struct lane_head){get_int(&q, "id"), get_int(&q, "rank"), get_int(&q, "updated_at")};
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc store_look_lanes(struct store *store, const int64_t *stage_ids, size_t len,
    struct lane_head *ret, struct err *err)
{
    CLEANUP(cleanup_ids) struct id_list paused = {0};
    enum rc rc = list_paused(store, &paused, err);
    for (size_t i = 0; rc == RC_OK && i < len; i++) {
        ret[i] = (struct lane_head){0};
        if (!has_id(&paused, stage_ids[i]))
            rc = look_lane(store, stage_ids[i], &ret[i], err);
    }
    return rc;
}

enum rc store_exchange(struct store *store, const struct outcome *outcome, const struct wish *wish,
    struct exchange_answer *ret, struct err *err)
{
    CLEANUP_FREE char *result = NULL;
    struct exchange x = {.outcome = outcome, .wish = wish};
    bool has_work = outcome != NULL;
    enum rc rc = RC_OK;
    if (outcome && outcome->cause == END_DONE)
        rc = json_normal(
            "result", outcome->result ? outcome->result : "null", RESULT_MAX_BYTES, &result, err);
    if (rc == RC_OK && !outcome && wish)
        rc = is_worth_it(store, wish, &has_work, err);
    x.result = result;
    if (rc == RC_OK && has_work)
        rc = transact(store, &x, err);
    struct exchange_answer answer = {.is_outcome_lost = x.effect.is_lost};
    if (rc == RC_OK && x.claimed)
        rc = read_run(store, x.claimed, wish->claim, &answer.run, err);
    if (rc)
        return rc;
    answer.claimable = x.effect.claimable - x.is_claim_new;
    if (answer.claimable < 0)
        answer.claimable = 0;
    *ret = answer;
    return RC_OK;
}

enum rc store_claim_is_mine(struct store *store, const struct run *run, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_IS_MINE);
    put_int(&q, "id", run->id);
    put_int(&q, "claim", run->claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW && rc != RC_NOTFOUND)
        return rc;
    *ret = rc == RC_ROW;
    return RC_OK;
}
