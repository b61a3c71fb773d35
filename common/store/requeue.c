#include "common/store/requeue.h"

#include "common/base/sys.h"
#include "common/store/attempt.h"
#include "common/store/query.h"

struct held_run {
    int64_t id;
    enum end_cause cause;
    struct attempt attempt;
    struct end_state state;
};

/* RC_NOTFOUND: the range holds nothing more. */
static enum rc next_held(struct store *store, int64_t first_claim, int64_t last_claim,
    struct held_run *ret, struct err *err)
{
    QUERY q = query(store, Q_SETTLE_NEXT);
    put_int(&q, "first_claim", first_claim);
    put_int(&q, "last_claim", last_claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = (struct held_run){
        .id = get_int(&q, "id"),
        .attempt = {.item_id = get_int(&q, "item_id"),
            .stage_id = get_int(&q, "stage_id"),
            .claim = get_int(&q, "claim"),
            .number = get_int(&q, "attempts"),
            .started_wall_ms = get_int(&q, "started_at")},
        .state = {get_int(&q, "attempts"), get_int(&q, "interruptions"), get_int(&q, "streak"),
            get_int(&q, "suspect") != 0},
    };
    return RC_OK;
}

/* −1: nobody knows when it ended, or it had not begun. */
static int64_t elapsed(const struct requeue *r, const struct held_run *run)
{
    if (r->is_long_gone || run->cause == END_STOPPED)
        return -1;
    const int64_t ms = r->now_wall_ms - run->attempt.started_wall_ms;
    return ms > 0 ? ms : 0;
}

/* A run whose stage the configuration does not have any more is requeued plainly. */
static struct ending decide(const struct requeue *r, struct held_run *run)
{
    const bool was_suspect = run->state.is_suspect;
    static const struct stage_tuning plain = {.on_worker_death = ON_DEATH_REQUEUE};
    const struct catalog_stage *stage = catalog_stage(r->catalog, run->attempt.stage_id);
    run->attempt.job_id = stage ? stage->job->id : 0;
    run->cause = run->attempt.claim <= r->last_begun ? END_INTERRUPTED : END_STOPPED;
    run->attempt.why = r->why;
    run->attempt.elapsed_ms = elapsed(r, run);
    struct ending e = ending_decide(
        run->cause, &run->state, stage ? &stage->spec->tuning : &plain, -1, sys_random());
    if (r->is_long_gone) /* the end of a whole pool tells nothing about any of its runs */
        e.is_suspect = was_suspect;
    return e;
}

static enum rc write_run(struct store *store, const struct requeue *r, const struct held_run *run,
    const struct ending *e, struct err *err)
{
    QUERY q = query(store, Q_RUN_END);
    put_int(&q, "id", run->id);
    put_int(&q, "claim", run->attempt.claim);
    put_id(&q, "keep_claim", 0);
    put_text(&q, "status", status_name(e->status));
    put_int(&q, "is_complete", 0);
    put_int(&q, "snoozed", 0);
    put_int(&q, "attempts", e->attempts);
    put_int(&q, "interruptions", e->interruptions);
    put_int(&q, "streak", e->streak);
    put_int(&q, "suspect", e->is_suspect);
    put_id(
        &q, "next_attempt_at", e->status == STATUS_RETRY_LATER ? r->now_wall_ms + e->delay_ms : 0);
    put_id(&q, "elapsed_ms", 0);
    put_text(&q, "progress", NULL);
    put_text(&q, "checkpoint", NULL);
    put_text(&q, "error", run->cause == END_INTERRUPTED ? r->why : NULL);
    put_int(&q, "now_ms", r->now_wall_ms);
    int64_t changes = 0;
    enum rc rc = query_write(&q, &changes, err);
    if (rc == RC_OK && changes != 1)
        rc = err_set(err, RC_BUG, "stage run %lld was not requeued", (long long)run->id);
    return rc;
}

enum rc requeue_claims(
    struct store *store, const struct requeue *r, int64_t *ret_requeued, struct err *err)
{
    int64_t requeued = 0, from = r->first_claim;
    enum rc rc;
    for (;; requeued++) {
        struct held_run run;
        rc = next_held(store, from, r->last_claim, &run, err);
        if (rc)
            break;
        from = run.attempt.claim;
        struct ending e = decide(r, &run);
        rc = write_run(store, r, &run, &e, err);
        if (rc == RC_OK)
            rc = attempt_log(store, r->now_wall_ms, run.cause, &run.attempt, &e, err);
        if (rc)
            break;
    }
    if (rc != RC_NOTFOUND)
        return rc;
    *ret_requeued = requeued;
    return RC_OK;
}

enum rc requeue_is_needed(
    struct store *store, int64_t first_claim, int64_t last_claim, bool *ret, struct err *err)
{
    struct held_run run;
    enum rc rc = next_held(store, first_claim, last_claim, &run, err);
    *ret = rc == RC_OK;
    return rc == RC_NOTFOUND ? RC_OK : rc;
}
