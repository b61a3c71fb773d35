#include "common/store/attempt.h"

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/query.h"

const char *attempt_event(enum end_cause cause)
{
    switch (cause) {
    case END_RETRY:
    case END_FAIL:
        return "attempt.failed";
    case END_STAGE_PAUSE:
    case END_STOPPED:
    case END_SNOOZE:
    case END_WAIT:
        return "attempt.given_back";
    case END_INTERRUPTED:
    case END_CRASHED:
        return "attempt.interrupted";
    case END_DONE:
    case END_SKIP:
    case END_CAUSE_COUNT:
        return NULL;
    }
    return NULL;
}

static void describe(struct buf *out, int64_t now_wall_ms, enum end_cause cause,
    const struct attempt *a, const struct ending *ending)
{
    char claim[CLAIM_TEXT_MAX], time[32];
    bool is_own_fault = cause == END_RETRY || cause == END_FAIL;
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_int(&j, "attempt", a->number);
    json_str(&j, "claim", claim_format(a->claim, claim));
    json_int(&j, "life", claim_life(a->claim));
    if (a->started_wall_ms > 0) {
        json_str(&j, "started_at", clock_format_wall(a->started_wall_ms, time, sizeof time));
        if (a->elapsed_ms >= 0)
            json_num(&j, "elapsed_s", (double)a->elapsed_ms / 1000);
    }
    if (a->pid > 0) {
        json_int(&j, "slot", a->slot);
        json_int(&j, "pid", a->pid);
    }
    json_str(&j, is_own_fault ? "why" : "cause", a->why);
    if (a->how)
        json_str(&j, "how", a->how);
    if (a->stderr_tail && a->stderr_tail[0])
        json_str(&j, "stderr", a->stderr_tail);
    if (a->stdout_tail && a->stdout_tail[0])
        json_str(&j, "stdout", a->stdout_tail);
    if (a->log_tail && a->log_tail[0])
        json_str(&j, "log", a->log_tail);
    if (a->certificate)
        json_raw(&j, "handler", a->certificate);
    json_int(&j, "attempts", ending->attempts);
    json_int(&j, "interruptions", ending->interruptions);
    json_str(&j, "next", status_name(ending->status));
    if (ending->status == STATUS_RETRY_LATER)
        json_str(&j, "next_attempt_at",
            clock_format_wall(now_wall_ms + ending->delay_ms, time, sizeof time));
    json_end_object(&j);
}

enum rc attempt_log(struct store *store, int64_t now_wall_ms, enum end_cause cause,
    const struct attempt *a, const struct ending *ending, struct err *err)
{
    const char *event = attempt_event(cause);
    if (!event)
        return RC_OK;
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    describe(&data, now_wall_ms, cause, a, ending);
    struct event_ref about = {a->job_id, a->stage_id, a->item_id};
    enum rc rc = event_put(store, now_wall_ms, event, &about, buf_str(&data), err);
    if (rc == RC_OK && ending->status == STATUS_EXHAUSTED)
        rc = event_put(store, now_wall_ms, "item.exhausted", &about, buf_str(&data), err);
    return rc;
}

enum rc attempt_has_event(struct store *store, const char *event, int64_t since_wall_ms,
    const struct attempt *a, bool *ret, struct err *err)
{
    char claim[CLAIM_TEXT_MAX];
    QUERY q = query(store, Q_EVENT_OF_CLAIM);
    put_text(&q, "event", event);
    put_int(&q, "since_ms", since_wall_ms);
    put_int(&q, "item_id", a->item_id);
    put_int(&q, "stage_id", a->stage_id);
    put_text(&q, "claim", claim_format(a->claim, claim));
    enum rc rc = query_one(&q, err);
    *ret = rc == RC_ROW;
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}
