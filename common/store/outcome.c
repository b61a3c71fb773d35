#include "common/store/outcome.h"

#include <stdio.h>

#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/attempt.h"
#include "common/store/pause.h"
#include "common/store/query.h"

void outcome_hash(const char *text, char out[17])
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const char *c = text; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(1099511628211);
    (void)snprintf(out, 17, "%016llx", (unsigned long long)h);
}

static struct attempt attempt_of(const struct outcome *o)
{
    return (struct attempt){
        .item_id = o->run->item_id,
        .stage_id = o->run->stage_id,
        .job_id = o->stage->job->id,
        .claim = o->run->claim,
        .number = o->run->state.attempts,
        .started_wall_ms = o->run->started_wall_ms,
        .elapsed_ms = o->elapsed_ms,
        .slot = o->slot,
        .pid = o->pid,
        .why = o->why,
        .how = o->how,
        .stderr_tail = o->stderr_tail,
        .stdout_tail = o->stdout_tail,
        .log_tail = o->log_tail,
        .certificate = o->certificate,
    };
}

/* *ret_changes 0: the claim is not on the row any more. */
static enum rc end_run(struct store *store, const struct outcome *o, const struct ending *e,
    int64_t now, int64_t *ret_changes, struct err *err)
{
    QUERY q = query(store, Q_RUN_END);
    put_int(&q, "id", o->run->id);
    put_int(&q, "claim", o->run->claim);
    put_id(&q, "keep_claim", e->status == STATUS_PENDING ? 0 : o->run->claim);
    put_text(&q, "status", status_name(e->status));
    put_int(&q, "is_complete", e->status == STATUS_DONE || e->status == STATUS_SKIPPED);
    put_int(&q, "attempts", e->attempts);
    put_int(&q, "interruptions", e->interruptions);
    put_int(&q, "streak", e->streak);
    put_int(&q, "snoozed", e->is_snooze);
    put_int(&q, "suspect", e->is_suspect || o->is_suspect);
    put_id(&q, "next_attempt_at", e->status == STATUS_RETRY_LATER ? now + e->delay_ms : 0);
    put_int(&q, "elapsed_ms", o->elapsed_ms);
    put_text(&q, "error", o->cause == END_DONE ? NULL : o->why);
    put_text(&q, "progress", o->progress);
    put_text(&q, "checkpoint", o->checkpoint);
    put_int(&q, "now_ms", now);
    return query_write(&q, ret_changes, err);
}

static enum rc row_bears_claim(
    struct store *store, const struct outcome *o, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_RUN_BEARS);
    put_int(&q, "id", o->run->id);
    put_int(&q, "item_id", o->run->item_id);
    put_int(&q, "stage_id", o->run->stage_id);
    put_int(&q, "claim", o->run->claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc == RC_NOTFOUND ? RC_BUG : rc;
    *ret = get_int(&q, "found") != 0;
    return RC_OK;
}

static enum rc log_lost(struct store *store, const struct outcome *o, const struct attempt *a,
    int64_t now, struct err *err)
{
    static const char *const causes[END_CAUSE_COUNT] = {"done", "skip", "retry", "fail", "pause",
        "interrupted", "stopped", "crashed", "snooze", "wait"};
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    char claim[CLAIM_TEXT_MAX];
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "claim", claim_format(a->claim, claim));
    json_int(&j, "life", claim_life(a->claim));
    json_str(&j, "cause", causes[o->cause]);
    json_end_object(&j);
    struct event_ref about = {a->job_id, a->stage_id, a->item_id};
    return event_put(store, now, "claim.lost", &about, buf_str(&data), err);
}

/* The row is not ours: by our own commit, whose answer was lost, or by somebody's who took it. Our
 * commit has left our claim on the row or its result, or an event if the row has moved on since. */
static enum rc own_or_lost(
    struct store *store, const struct outcome *o, int64_t now, bool *ret_is_lost, struct err *err)
{
    bool is_own = false, is_logged = false;
    struct attempt a = attempt_of(o);
    const char *event = attempt_event(o->cause);
    enum rc rc = row_bears_claim(store, o, &is_own, err);
    if (rc == RC_OK && !is_own && event)
        rc = attempt_has_event(store, event, o->run->started_wall_ms, &a, &is_own, err);
    if (rc || is_own)
        return rc;
    *ret_is_lost = true;
    rc = attempt_has_event(store, "claim.lost", o->run->started_wall_ms, &a, &is_logged, err);
    if (rc || is_logged)
        return rc;
    return log_lost(store, o, &a, now, err);
}

static enum rc put_result(
    struct store *store, const struct outcome *o, const char *result, int64_t now, struct err *err)
{
    char hash[17];
    outcome_hash(result, hash);
    QUERY q = query(store, Q_RESULT_PUT);
    put_int(&q, "item_id", o->run->item_id);
    put_int(&q, "stage_id", o->run->stage_id);
    put_int(&q, "claim", o->run->claim);
    put_text(&q, "data", result);
    put_text(&q, "output_hash", hash);
    put_text(&q, "handler_version", o->version);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc unblock_followers(struct store *store, const struct outcome *o, int64_t now,
    int64_t *ret_unblocked, struct err *err)
{
    QUERY q = query(store, Q_FOLLOWERS_UNBLOCK);
    put_int(&q, "item_id", o->run->item_id);
    put_int(&q, "stage_id", o->run->stage_id);
    put_int(&q, "now_ms", now);
    return query_write(&q, ret_unblocked, err);
}

static enum rc follow_up(struct store *store, const struct outcome *o, const char *result,
    struct pause_plan plan, int64_t now, struct outcome_effect *effect, struct err *err)
{
    const struct pausing pausing = {o->stage, plan, o->why, now};
    enum rc rc = RC_OK;
    if (o->cause == END_DONE)
        rc = put_result(store, o, result, now, err);
    if (rc == RC_OK && o->cause == END_DONE)
        rc = pause_forget(store, o->stage, err);
    if (rc == RC_OK && (o->cause == END_DONE || o->cause == END_SKIP))
        rc = unblock_followers(store, o, now, &effect->claimable, err);
    if (rc == RC_OK && o->cause == END_STAGE_PAUSE)
        rc = pause_begin(store, &pausing, err);
    return rc;
}

static enum rc add_spawned(struct store *store, const struct outcome_given *given, int64_t now,
    struct outcome_effect *effect, struct err *err)
{
    const struct outcome *o = given->outcome;
    const struct spawned s = {o->run, o->stage, given->catalog, o->items, o->items_len};
    return spawned_add(store, &s, now, &effect->claimable, err);
}

enum rc outcome_apply(struct store *store, const struct outcome_given *given, int64_t now_wall_ms,
    struct outcome_effect *ret, struct err *err)
{
    const struct outcome *o = given->outcome;
    const struct costs costs = {o->run, o->stage, o->costs, o->costs_len};
    struct outcome_effect effect = {0};
    struct pause_plan pause = {0};
    struct ending e =
        ending_decide(o->cause, &o->run->state, &o->stage->spec->tuning, o->after_ms, o->random);
    enum rc rc = costs_put(store, &costs, now_wall_ms, err);
    if (rc == RC_OK && o->cause == END_STAGE_PAUSE) {
        rc = pause_decide(store, o->stage, now_wall_ms, &pause, err);
        e.delay_ms = pause.until_wall_ms - now_wall_ms;
    }
    int64_t changes = 0;
    if (rc == RC_OK)
        rc = end_run(store, o, &e, now_wall_ms, &changes, err);
    if (rc)
        return rc;
    if (changes == 0) {
        rc = own_or_lost(store, o, now_wall_ms, &effect.is_lost, err);
        effect.claimable = !effect.is_lost; /* nobody may have been woken the first time */
    } else {
        effect.claimable = e.status == STATUS_PENDING;
        struct attempt a = attempt_of(o);
        rc = attempt_log(store, now_wall_ms, o->cause, &a, &e, err);
        if (rc == RC_OK)
            rc = follow_up(store, o, given->result, pause, now_wall_ms, &effect, err);
        if (rc == RC_OK)
            rc = add_spawned(store, given, now_wall_ms, &effect, err);
    }
    if (rc == RC_OK)
        *ret = effect;
    return rc;
}
