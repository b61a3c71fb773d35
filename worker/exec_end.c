#include "worker/exec_end.h"

#include <string.h>
#include <sys/wait.h>

#include "common/base/text.h"
#include "worker/certificate.h"
#include "worker/limits.h"
#include "worker/result.h"
#include "worker/trial_say.h"
#include "worker/verdict.h"

/* Why it ended as it did, in one line: what the handler said last, else how it ended. Whoever was
 * killed did not choose its last words. */
static void explain(const struct attempt *lead, struct buf *out)
{
    if (WIFSIGNALED(lead->status)) {
        result_ended(lead->status, out);
        return;
    }
    result_last_line(buf_str(&lead->tail.text), lead->tail.text.len, out);
    if (out->len == 0)
        result_ended(lead->status, out);
}

/* The final line break is none of the result. */
static bool is_too_long(const struct attempt *a)
{
    size_t len = a->output.len;
    if (len > 0 && a->output.data[len - 1] == '\n')
        len--;
    return len > (size_t)a->stage->spec->tuning.output_size_bytes;
}

static enum end_cause too_long(struct attempt *a)
{
    buf_adds(&a->how, "output_size");
    return attempt_too_long(a);
}

static enum end_cause by_status_alone(struct attempt *a)
{
    if (a->heard.outcome != MESSAGE_UNKNOWN)
        return attempt_by_message(a);
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    enum end_cause cause = verdict_exit(tuning, a->status, &a->after_ms);
    if (cause == END_DONE && is_too_long(a))
        return too_long(a);
    const struct limits_end end = {a->status, &a->usage, a->is_oom};
    if (cause != END_DONE && limits_explain(a->stage->spec, &end, &a->why, &a->how))
        return END_RETRY;
    if (cause == END_RETRY && a->heard.has_limit && WIFEXITED(a->status))
        cause = attempt_limited(a);
    result_how(a->status, &a->how);
    if (cause == END_DONE)
        result_json(buf_str(&a->output), a->output.len, &a->result);
    else
        explain(a, &a->why);
    return cause;
}

/* It was ended by us, for this reason. */
static enum end_cause by_cut(struct attempt *a)
{
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    switch (a->cut) {
    case CUT_TIMEOUT:
        result_timeout(tuning->timeout_ms, &a->why);
        buf_adds(&a->how, "timeout");
        return END_RETRY;
    case CUT_OUTPUT:
        return too_long(a);
    case CUT_BROKEN:
        return attempt_broken(a);
    case CUT_NONE:
    case CUT_STOPPED:
    case CUT_LOST: /* the store finds the claim gone and records nothing */
        buf_adds(&a->how, a->cut == CUT_LOST ? "claim lost" : "stopped");
        return END_STOPPED;
    }
    return END_STOPPED;
}

static enum end_cause alone(struct attempt *a)
{
    return a->cut == CUT_NONE ? by_status_alone(a) : by_cut(a);
}

/* ---- one of a batch ---- */

/* A batch that has ended. */
struct ended {
    const struct attempt *lead; /* has the process */
    size_t silent;              /* so many have no outcome, and nobody knows why */
};

static bool is_silent(const struct attempt *a)
{
    return attempt_is_open(a) || a->cut == CUT_BROKEN;
}

static enum end_cause unanswered(const struct attempt *lead, struct attempt *a)
{
    buf_adds(&a->why, "no outcome was said for \"");
    text_add_printable(&a->why, a->run.key, strlen(a->run.key));
    buf_adds(&a->why, "\" when the handler ended with ");
    result_ended(lead->status, &a->why);
    buf_adds(&a->why, ": in a batch each item needs a message on descriptor 3 that bears its key");
    result_how(lead->status, &a->how);
    return END_RETRY;
}

static enum end_cause by_status_of_all(const struct ended *e, struct attempt *a)
{
    const struct stage_spec *spec = a->stage->spec;
    const struct attempt *lead = e->lead;
    const struct limits_end end = {lead->status, &lead->usage, lead->is_oom};
    enum end_cause cause = verdict_exit(&spec->tuning, lead->status, &a->after_ms);
    if (cause == END_DONE)
        return unanswered(lead, a);
    if (limits_explain(spec, &end, &a->why, &a->how))
        return attempt_taken_down(a, e->silent == 1);
    result_how(lead->status, &a->how);
    explain(lead, &a->why);
    if (cause == END_RETRY && a->heard.has_limit && WIFEXITED(lead->status))
        return attempt_limited(a);
    return cause == END_RETRY ? attempt_taken_down(a, e->silent == 1) : cause;
}

/* What was said counts, whatever became of the process. */
static enum end_cause in_batch(const struct ended *e, struct attempt *a)
{
    if (a->cut == CUT_BROKEN) {
        (void)attempt_broken(a);
        return attempt_taken_down(a, e->silent == 1);
    }
    if (heard_is_broken(&a->heard) && a->cut != CUT_LOST)
        return attempt_broken(a);
    if (a->heard.outcome != MESSAGE_UNKNOWN && a->cut != CUT_LOST)
        return attempt_by_message(a);
    if (a->cut == CUT_NONE)
        return by_status_of_all(e, a);
    const enum end_cause cause = by_cut(a);
    return a->cut == CUT_TIMEOUT ? attempt_taken_down(a, !a->is_cut_with_others) : cause;
}

/* ---- both ---- */

static void keep_tail(const struct tail *tail, struct buf *out)
{
    size_t len;
    const char *text = tail_kept(tail, &len);
    result_clean(text, len, out);
}

static void keep_printed(const struct attempt *lead, struct buf *out)
{
    const size_t keep = lead->printed.keep, has = lead->output.len;
    const size_t len = has < keep ? has : keep;
    if (lead->printed.text.len > 0)
        keep_tail(&lead->printed, out);
    else
        result_clean(buf_str(&lead->output) + has - len, len, out);
}

/* What an attempt leaves behind that did not do its work. */
static void keep_traces(const struct attempt *lead, struct attempt *a)
{
    a->pid = lead->pid;
    a->status = lead->status;
    a->usage = lead->usage;
    a->is_oom = lead->is_oom;
    keep_tail(&lead->tail, &a->stderr_text);
    keep_tail(&a->logs, &a->log_text);
    keep_printed(lead, &a->stdout_text);
    certificate_write(a, &a->certificate);
}

static void conclude(const struct ended *e, struct attempt *a)
{
    const struct stage_spec *spec = a->stage->spec;
    enum end_cause cause = stage_is_batch(spec) ? in_batch(e, a) : alone(a);
    cause = verdict_text(&spec->tuning, cause, buf_str(&a->why));
    if (cause != END_DONE)
        keep_traces(e->lead, a);
    attempt_conclude(a, cause);
}

void exec_end_conclude(struct worker *w, struct call *call)
{
    struct attempt *lead = call->items[0];
    struct ended e = {.lead = lead};
    for (size_t i = 0; i < call->len; i++)
        e.silent += is_silent(call->items[i]);
    for (size_t i = 0; i < call->len; i++)
        conclude(&e, call->items[i]);
    bool is_result = lead->outcome.cause == END_DONE && !lead->is_by_message;
    if (w->trial != NULL && !is_result)
        trial_text(w->trial, "stdout", buf_str(&lead->output), lead->output.len);
    buf_fini(&lead->output); /* the result has it */
}
