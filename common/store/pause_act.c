#include "common/store/pause_act.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/store/pause.h"
#include "common/store/query.h"

#define REASON_DEFAULT "an operator paused it"

void pause_state_fini(struct pause_state *state)
{
    if (!state)
        return;
    free(state->reason);
    *state = (struct pause_state){0};
}

void pause_found_fini(struct pause_found *found)
{
    if (!found)
        return;
    pause_state_fini(&found->was);
    pause_state_fini(&found->is);
    free(found->claims);
    *found = (struct pause_found){0};
}

/* NULL for a job. Caller frees. */
static char *stage_name(const struct pause_target *target)
{
    if (!target->stage)
        return NULL;
    return xasprintf("%s.%s", target->job->spec->name, target->stage->spec->name);
}

/* What there is, and what of it is written. */
struct row {
    char *name; /* JOB.STAGE; NULL: a job */
    bool is_known;
    int64_t trial;
    struct pause_state state;
};

static void row_fini(struct row *row)
{
    free(row->name);
    pause_state_fini(&row->state);
}

static enum rc read_row(
    struct store *store, const struct pause_target *target, struct row *ret, struct err *err)
{
    ret->name = stage_name(target);
    QUERY q = query(store, ret->name ? Q_PAUSE_GET : Q_JOB_PAUSE_GET);
    if (ret->name)
        put_text(&q, "name", ret->name);
    else
        put_int(&q, "job_id", target->job->id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc == RC_NOTFOUND ? RC_OK : rc;
    ret->is_known = true;
    ret->trial = ret->name ? get_int(&q, "trial") : 0;
    if (!get_int(&q, "paused"))
        return RC_OK;
    const char *reason = get_text(&q, "reason");
    ret->state = (struct pause_state){
        .is_paused = true,
        .is_on_trial = ret->trial > 0,
        .reason = xstrdup(reason ? reason : REASON_DEFAULT),
        .until_wall_ms = get_int(&q, "retry_after"), /* null reads as 0 */
    };
    return RC_OK;
}

enum rc store_pause_look(struct store *store, const struct pause_target *target,
    struct pause_state *ret, struct err *err)
{
    CLEANUP(row_fini) struct row row = {0};
    enum rc rc = read_row(store, target, &row, err);
    if (rc)
        return rc;
    *ret = row.state;
    row.state = (struct pause_state){0};
    return RC_OK;
}

/* ---- pause ---- */

static struct pause_state plan(const struct pause_wish *wish, const struct pause_state *was)
{
    bool is_operators = was->is_paused && !was->is_on_trial;
    const char *reason = wish->reason ? wish->reason : is_operators ? was->reason : REASON_DEFAULT;
    return (struct pause_state){
        .is_paused = true,
        .reason = xstrdup(reason),
        .until_wall_ms = wish->has_until ? wish->until_wall_ms
                         : is_operators  ? was->until_wall_ms
                                         : 0,
    };
}

static bool is_same(const struct pause_state *a, const struct pause_state *b)
{
    return a->is_paused == b->is_paused && a->is_on_trial == b->is_on_trial &&
           a->until_wall_ms == b->until_wall_ms && strcmp(a->reason, b->reason) == 0;
}

static enum rc write_stage(struct store *store, const struct row *row,
    const struct pause_wish *wish, const struct pause_state *is, int64_t now, struct err *err)
{
    QUERY q = query(store, row->is_known ? Q_PAUSE_AGAIN : Q_PAUSE_INSERT);
    put_text(&q, "name", row->name);
    put_int(&q, "trial", 0);
    if (!row->is_known)
        put_int(&q, "stage_id", wish->target.stage->id);
    put_text(&q, "reason", is->reason);
    put_id(&q, "retry_after", is->until_wall_ms);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc write_job(struct store *store, const struct pause_wish *wish,
    const struct pause_state *is, int64_t now, struct err *err)
{
    {
        QUERY q = query(store, Q_JOB_PAUSE_INSERT);
        put_int(&q, "job_id", wish->target.job->id);
        put_int(&q, "now_ms", now);
        enum rc rc = query_write(&q, NULL, err);
        if (rc)
            return rc;
    }
    QUERY q = query(store, Q_JOB_PAUSE_SET);
    put_int(&q, "job_id", wish->target.job->id);
    put_text(&q, "reason", is->reason);
    put_id(&q, "retry_after", is->until_wall_ms);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

/* state NULL: resumed. */
static enum rc log_act(struct store *store, const struct pause_target *target,
    const struct pause_state *state, int64_t uid, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    CLEANUP_FREE char *name = stage_name(target);
    char until[40];
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    if (name)
        json_str(&j, "stage", name);
    if (state)
        json_str(&j, "why", state->reason);
    if (state && state->until_wall_ms)
        json_str(&j, "retry_after", clock_format_wall(state->until_wall_ms, until, sizeof until));
    json_str(&j, "by", "operator");
    json_int(&j, "uid", uid);
    json_end_object(&j);
    struct event_ref about = {target->job->id, target->stage ? target->stage->id : 0, 0};
    const char *event = name    ? state ? "stage.paused" : "stage.resumed"
                        : state ? "job.paused"
                                : "job.resumed";
    return event_put(store, clock_wall_ms(), event, &about, buf_str(&data), err);
}

static enum rc list_claims(struct store *store, const struct pause_target *target,
    struct pause_found *found, struct err *err)
{
    QUERY q = query(store, Q_PAUSE_CLAIMS);
    put_int(&q, "job_id", target->job->id);
    put_int(&q, "stage_id", target->stage ? target->stage->id : 0);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        found->claims = xrealloc(found->claims, (found->claims_len + 1) * sizeof found->claims[0]);
        found->claims[found->claims_len++] =
            (struct pause_claim){get_int(&q, "claim"), get_int(&q, "stage_id")};
    }
    return rc == RC_DONE ? RC_OK : rc;
}

enum rc store_pause_plan(
    struct store *store, const struct pause_wish *wish, struct pause_found *ret, struct err *err)
{
    struct pause_state was = {0};
    enum rc rc = store ? store_pause_look(store, &wish->target, &was, err) : RC_OK;
    if (rc)
        return rc;
    *ret = (struct pause_found){.was = was, .is = plan(wish, &was)};
    ret->is_changed = !was.is_paused || !is_same(&was, &ret->is);
    return RC_OK;
}

static enum rc pause_locked(
    struct store *store, const struct pause_wish *wish, struct pause_found *found, struct err *err)
{
    CLEANUP(row_fini) struct row row = {0};
    int64_t now = clock_wall_ms();
    enum rc rc = read_row(store, &wish->target, &row, err);
    if (rc)
        return rc;
    found->is = plan(wish, &row.state);
    found->is_changed = !row.state.is_paused || !is_same(&row.state, &found->is);
    if (found->is_changed)
        rc = row.name ? write_stage(store, &row, wish, &found->is, now, err)
                      : write_job(store, wish, &found->is, now, err);
    if (rc == RC_OK && found->is_changed)
        rc = log_act(store, &wish->target, &found->is, wish->uid, err);
    found->was = row.state;
    row.state = (struct pause_state){0};
    return rc ? rc : list_claims(store, &wish->target, found, err);
}

enum rc store_pause(
    struct store *store, const struct pause_wish *wish, struct pause_found *ret, struct err *err)
{
    struct pause_found found = {0};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc == RC_OK)
        rc = txn_end(store, pause_locked(store, wish, &found, err), err);
    if (rc) {
        pause_found_fini(&found);
        return rc;
    }
    *ret = found;
    return RC_OK;
}

/* ---- resume ---- */

static enum rc lift(struct store *store, const struct pause_target *target, const struct row *row,
    int64_t now, struct err *err)
{
    if (row->name) {
        struct paused_stage p = {
            row->name, target->stage->id, row->trial, row->state.until_wall_ms};
        return pause_drop(store, &p, now, err);
    }
    QUERY q = query(store, Q_JOB_PAUSE_LIFT);
    put_int(&q, "job_id", target->job->id);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc resume_locked(struct store *store, const struct pause_target *target, int64_t uid,
    struct pause_state *was, struct err *err)
{
    CLEANUP(row_fini) struct row row = {0};
    enum rc rc = read_row(store, target, &row, err);
    if (rc == RC_OK && row.state.is_paused) {
        rc = lift(store, target, &row, clock_wall_ms(), err);
        if (rc == RC_OK)
            rc = log_act(store, target, NULL, uid, err);
    }
    *was = row.state;
    row.state = (struct pause_state){0};
    return rc;
}

enum rc store_resume(struct store *store, const struct pause_target *target, int64_t uid,
    struct pause_state *ret_was, struct err *err)
{
    struct pause_state was = {0};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc == RC_OK)
        rc = txn_end(store, resume_locked(store, target, uid, &was, err), err);
    if (rc) {
        pause_state_fini(&was);
        return rc;
    }
    *ret_was = was;
    return RC_OK;
}

enum rc store_claim_runs(struct store *store, int64_t claim, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_FIND);
    put_int(&q, "claim", claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW && rc != RC_NOTFOUND)
        return rc;
    *ret = rc == RC_ROW;
    return RC_OK;
}
