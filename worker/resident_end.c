#include "worker/resident_end.h"

#include "common/base/cleanup.h"
#include "worker/limits.h"
#include "worker/result.h"

/* How it ended, and what it said last. */
static void add_end(const struct resident *r, const char *what, struct buf *out)
{
    CLEANUP(buf_fini) struct buf last = BUF_INIT;
    if (r->fault.len > 0) {
        buf_adds(out, buf_str(&r->fault));
        return;
    }
    buf_adds(out, what);
    result_ended(r->status, out);
    result_last_line(buf_str(&r->tail.text), r->tail.text.len, &last);
    if (last.len > 0)
        buf_addf(out, ": %s", buf_str(&last));
}

enum end_cause resident_cut_cause(struct attempt *a)
{
    buf_reset(&a->why);
    buf_reset(&a->how);
    if (a->cut == CUT_TIMEOUT) {
        result_timeout(a->stage->spec->tuning.timeout_ms, &a->why);
        buf_adds(&a->how, "timeout");
        return a->is_cut_with_others ? attempt_taken_down(a, false) : END_RETRY;
    }
    buf_adds(&a->how, a->cut == CUT_LOST ? "claim lost" : "stopped");
    return END_STOPPED;
}

/* The table of DESIGN.md section 1: alone, it is its own fault; of several, one of them did it. */
static enum end_cause cause_of_crash(const struct resident *r, struct attempt *a, bool is_alone)
{
    if (a->cut != CUT_NONE) {
        a->is_suspect = a->cut == CUT_TIMEOUT;
        return resident_cut_cause(a);
    }
    buf_reset(&a->why);
    buf_reset(&a->how);
    const struct limits_end end = {r->status, &r->usage, r->is_oom};
    if (is_alone && r->fault.len == 0 && limits_explain(a->stage->spec, &end, &a->why, &a->how)) {
        a->is_suspect = true;
        return END_RETRY;
    }
    resident_explain(r, &a->why);
    if (r->fault.len > 0)
        buf_adds(&a->how, "protocol");
    else
        result_how(r->status, &a->how);
    return attempt_taken_down(a, is_alone);
}

/* Cut ones are known to be the reason. */
static size_t count_innocent(const struct calls *c, bool *ret_has_guilty)
{
    size_t n = 0;
    for (size_t i = 0; i < c->len; i++)
        for (size_t k = 0; k < c->list[i].len; k++) {
            const struct attempt *a = c->list[i].items[k];
            n += a != NULL && a->cut == CUT_NONE;
            *ret_has_guilty = *ret_has_guilty || (a != NULL && a->cut != CUT_NONE);
        }
    return n;
}

void resident_explain(const struct resident *r, struct buf *out)
{
    add_end(r, "the handler ended without an answer: ", out);
}

void resident_explain_no_start(const struct resident *r, struct buf *out)
{
    add_end(r, "it ended before it said hello: ", out);
}

void resident_settle_calls(struct worker *w)
{
    struct resident *r = &w->resident;
    bool has_guilty = false;
    const bool is_alone = count_innocent(&r->calls, &has_guilty) == 1 && !has_guilty;
    while (r->calls.len > 0) {
        struct call *call = &r->calls.list[r->calls.len - 1];
        for (size_t k = call->len; k-- > 0;) {
            struct attempt **item = &call->items[k];
            if (*item == NULL)
                continue;
            bool is_last = call->open == 1;
            resident_conclude(w, call, item, cause_of_crash(r, *item, is_alone));
            if (is_last)
                break;
        }
    }
}
