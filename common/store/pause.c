#include "common/store/pause.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/store/query.h"
#include "common/store/settle.h"

/* JOB.STAGE, as the table names it. Caller frees. */
static char *name_of(const struct catalog_stage *stage)
{
    return xasprintf("%s.%s", stage->job->spec->name, stage->spec->name);
}

int64_t pause_length_ms(int64_t trial)
{
    int64_t ms = PAUSE_BASE_MS;
    for (int64_t i = 1; i < trial && ms < PAUSE_MAX_MS; i++)
        ms *= 2;
    return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

enum rc pause_decide(struct store *store, const struct catalog_stage *stage, int64_t now_wall_ms,
    struct pause_plan *ret, struct err *err)
{
    CLEANUP_FREE char *name = name_of(stage);
    QUERY q = query(store, Q_PAUSE_GET);
    put_text(&q, "name", name);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW && rc != RC_NOTFOUND)
        return rc;
    struct pause_plan plan = {.trial = 1, .is_known = rc == RC_ROW};
    if (plan.is_known) {
        plan.is_in_force = get_int(&q, "paused") != 0;
        plan.trial = get_int(&q, "trial") + (plan.is_in_force ? 0 : 1);
    }
    plan.until_wall_ms = now_wall_ms + pause_length_ms(plan.trial);
    if (plan.is_in_force && !get_is_null(&q, "retry_after"))
        plan.until_wall_ms = get_int(&q, "retry_after");
    *ret = plan;
    return RC_OK;
}

static enum rc write_row(
    struct store *store, const struct pausing *p, const char *name, struct err *err)
{
    QUERY q = query(store, p->plan.is_known ? Q_PAUSE_AGAIN : Q_PAUSE_INSERT);
    put_text(&q, "name", name);
    put_int(&q, "trial", p->plan.trial);
    if (!p->plan.is_known)
        put_int(&q, "stage_id", p->stage->id);
    put_text(&q, "reason", p->reason);
    put_int(&q, "retry_after", p->plan.until_wall_ms);
    put_int(&q, "now_ms", p->now_wall_ms);
    return query_write(&q, NULL, err);
}

static enum rc log_paused(
    struct store *store, const struct pausing *p, const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    char until[32];
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "stage", name);
    json_str(&j, "why", p->reason);
    json_int(&j, "trial", p->plan.trial);
    json_str(&j, "retry_after", clock_format_wall(p->plan.until_wall_ms, until, sizeof until));
    json_end_object(&j);
    struct event_ref about = {p->stage->job->id, p->stage->id, 0};
    return event_put(store, p->now_wall_ms, "stage.paused", &about, buf_str(&data), err);
}

enum rc pause_begin(struct store *store, const struct pausing *pausing, struct err *err)
{
    if (pausing->plan.is_in_force)
        return RC_OK;
    struct pausing p = *pausing;
    if (!p.reason)
        p.reason = "its handler cannot work";
    CLEANUP_FREE char *name = name_of(p.stage);
    enum rc rc = write_row(store, &p, name, err);
    return rc ? rc : log_paused(store, &p, name, err);
}

enum rc pause_forget(struct store *store, const struct catalog_stage *stage, struct err *err)
{
    CLEANUP_FREE char *name = name_of(stage);
    QUERY q = query(store, Q_PAUSE_FORGET);
    put_text(&q, "name", name);
    return query_write(&q, NULL, err);
}

/* ---- their end ---- */

/* Pauses by an operator end with their time, but not with a new pool. */
enum pause_kind { PAUSE_ANY, PAUSE_ON_TRIAL };

void paused_stage_fini(struct paused_stage *p)
{
    free(p->name);
}

/* RC_NOTFOUND: none is due by then. */
static enum rc find_due_stage(struct store *store, enum pause_kind kind, int64_t by_wall_ms,
    struct paused_stage *ret, struct err *err)
{
    QUERY q = query(store, Q_PAUSE_DUE);
    put_int(&q, "min_trial", kind == PAUSE_ON_TRIAL);
    put_int(&q, "now_ms", by_wall_ms);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = (struct paused_stage){
        .name = xstrdup(get_text(&q, "name")),
        .stage_id = get_int(&q, "stage_id"),
        .trial = get_int(&q, "trial"),
        .retry_after = get_int(&q, "retry_after"),
    };
    return RC_OK;
}

static enum rc log_resumed(
    struct store *store, const struct paused_stage *p, int64_t now, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "stage", p->name);
    json_int(&j, "trial", p->trial);
    json_end_object(&j);
    struct event_ref about = {0, p->stage_id, 0};
    return event_put(store, now, "stage.resumed", &about, buf_str(&data), err);
}

/* RC_NOTFOUND: none is due. */
static enum rc lift_next_stage(struct store *store, int64_t now, struct err *err)
{
    CLEANUP(paused_stage_fini) struct paused_stage p = {0};
    enum rc rc = find_due_stage(store, PAUSE_ANY, now, &p, err);
    if (rc)
        return rc;
    QUERY q = query(store, Q_PAUSE_LIFT);
    put_text(&q, "name", p.name);
    put_int(&q, "now_ms", now);
    rc = query_write(&q, NULL, err);
    return rc ? rc : log_resumed(store, &p, now, err);
}

enum rc pause_drop(struct store *store, const struct paused_stage *p, int64_t now, struct err *err)
{
    QUERY runs = query(store, Q_PAUSE_RUNS);
    put_int(&runs, "stage_id", p->stage_id);
    put_int(&runs, "retry_after", p->retry_after);
    put_int(&runs, "now_ms", now);
    enum rc rc = query_write(&runs, NULL, err);
    QUERY over = query(store, Q_PAUSE_OVER);
    put_text(&over, "name", p->name);
    if (rc == RC_OK)
        rc = query_write(&over, NULL, err);
    return rc;
}

enum rc pause_start_over(struct store *store, int64_t now_wall_ms, struct err *err)
{
    for (;;) {
        CLEANUP(paused_stage_fini) struct paused_stage p = {0};
        enum rc rc = find_due_stage(store, PAUSE_ON_TRIAL, INT64_MAX, &p, err);
        if (rc == RC_OK)
            rc = pause_drop(store, &p, now_wall_ms, err);
        if (rc == RC_OK)
            rc = log_resumed(store, &p, now_wall_ms, err);
        if (rc)
            return rc == RC_NOTFOUND ? RC_OK : rc;
    }
}

static enum rc lift_next_job(struct store *store, int64_t now, struct err *err)
{
    int64_t job_id = 0;
    {
        QUERY q = query(store, Q_JOB_PAUSE_DUE);
        put_int(&q, "now_ms", now);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW)
            return rc;
        job_id = get_int(&q, "job_id");
    }
    {
        QUERY q = query(store, Q_JOB_PAUSE_LIFT);
        put_int(&q, "job_id", job_id);
        put_int(&q, "now_ms", now);
        enum rc rc = query_write(&q, NULL, err);
        if (rc)
            return rc;
    }
    struct event_ref about = {job_id, 0, 0};
    return event_put(store, now, "job.resumed", &about, NULL, err);
}

static enum rc lift_due(struct store *store, int64_t now, int64_t *ret_lifted, struct err *err)
{
    enum rc rc;
    while ((rc = lift_next_stage(store, now, err)) == RC_OK)
        (*ret_lifted)++;
    if (rc != RC_NOTFOUND)
        return rc;
    while ((rc = lift_next_job(store, now, err)) == RC_OK)
        (*ret_lifted)++;
    return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* The earlier of *at (0: none) and what the query says. */
static enum rc earliest(struct store *store, enum query id, int64_t *at, struct err *err)
{
    QUERY q = query(store, id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    int64_t when = get_int(&q, "retry_after");
    if (when && (!*at || when < *at))
        *at = when;
    return RC_OK;
}

static enum rc next_end(struct store *store, int64_t *ret, struct err *err)
{
    *ret = 0;
    enum rc rc = earliest(store, Q_PAUSE_NEXT, ret, err);
    return rc ? rc : earliest(store, Q_JOB_PAUSE_NEXT, ret, err);
}

enum rc store_lift_pauses(
    struct store *store, int64_t *ret_lifted, int64_t *ret_next_wall_ms, struct err *err)
{
    int64_t next = 0, lifted = 0, now = clock_wall_ms();
    enum rc rc = next_end(store, &next, err);
    if (rc == RC_OK && next && next <= now) {
        rc = txn_begin(store, TXN_PLAIN, err);
        if (rc == RC_OK)
            rc = txn_end(store, lift_due(store, now, &lifted, err), err);
        if (rc == RC_OK)
            rc = next_end(store, &next, err);
    }
    if (rc)
        return rc;
    *ret_lifted = lifted;
    *ret_next_wall_ms = next;
    return RC_OK;
}
