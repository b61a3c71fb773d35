#include "worker/attempt.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "worker/result.h"

#define LARGE_BYTES ((size_t)128 * 1024)

void attempt_init(struct attempt *a, struct run *run, const struct catalog_stage *stage)
{
    *a = (struct attempt)ATTEMPT_INIT;
    a->run = *run;
    a->stage = stage;
    a->started_mono_ns = clock_mono_ns();
    *run = (struct run){0};
    if (stage != NULL) {
        tail_init(&a->tail, (size_t)stage->spec->tuning.stderr_tail_bytes);
        tail_init(&a->logs, (size_t)stage->spec->tuning.stderr_tail_bytes);
        tail_init(&a->printed, (size_t)stage->spec->tuning.stderr_tail_bytes);
        buf_adds(&a->version, stage->spec->version);
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* malloc keeps what was freed in the middle of its heap: not for long, after a large run. */
static bool was_large(const struct attempt *a)
{
    const char *texts[] = {a->run.data, a->run.inputs, a->result.data};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i] != NULL && strnlen(texts[i], LARGE_BYTES) == LARGE_BYTES)
            return true;
    return false;
}

void attempt_close_pipes(struct attempt *a)
{
    close_fd(&a->stdout_fd);
    close_fd(&a->stderr_fd);
    close_fd(&a->control_fd);
}

void attempt_fini(struct attempt *a)
{
    bool is_large = was_large(a);
    attempt_close_pipes(a);
    stream_fini(&a->control);
    heard_fini(&a->heard);
    buf_fini(&a->version);
    buf_fini(&a->output);
    tail_fini(&a->tail);
    tail_fini(&a->logs);
    tail_fini(&a->printed);
    buf_fini(&a->result);
    buf_fini(&a->why);
    buf_fini(&a->how);
    buf_fini(&a->stderr_text);
    buf_fini(&a->stdout_text);
    buf_fini(&a->log_text);
    buf_fini(&a->certificate);
    run_fini(&a->run);
    *a = (struct attempt)ATTEMPT_INIT;
    if (is_large)
        (void)malloc_trim(0);
}

struct tail_about attempt_about(const struct attempt *a)
{
    return (struct tail_about){
        .job = a->stage->job->spec->name,
        .stage = a->stage->spec->name,
        .key = a->run.key,
        .claim = a->run.claim,
        .attempt = a->run.state.attempts,
    };
}

static const char *text_or_null(const struct buf *b)
{
    return b->len > 0 ? b->data : NULL;
}

static const char *text_of(const struct buf *b, bool is_new)
{
    return is_new ? buf_str(b) : NULL;
}

void attempt_conclude(struct attempt *a, enum end_cause cause)
{
    struct heard *h = &a->heard;
    if (!a->is_by_message && cause != END_DONE && cause != END_SKIP)
        heard_drop_uncovered(h);
    if (h->checkpoint.len > 0)
        a->run.state.streak = 0;
    a->has_outcome = true;
    a->outcome = (struct outcome){
        .run = &a->run,
        .stage = a->stage,
        .cause = cause,
        .version = text_or_null(&a->version),
        .result = cause == END_DONE ? buf_str(&a->result) : NULL,
        .why = text_or_null(&a->why),
        .how = text_or_null(&a->how),
        .stderr_tail = text_or_null(&a->stderr_text),
        .stdout_tail = text_or_null(&a->stdout_text),
        .log_tail = text_or_null(&a->log_text),
        .certificate = text_or_null(&a->certificate),
        .after_ms = a->after_ms,
        .is_suspect = a->is_suspect,
        .elapsed_ms = (clock_mono_ns() - a->started_mono_ns) / NS_PER_MS,
        .random = cause != END_DONE ? sys_random() : 0, /* a system call */
        .progress = text_of(&h->progress, h->has_new_progress),
        .checkpoint = text_of(&h->checkpoint, h->has_new_checkpoint),
        .items = h->items,
        .items_len = h->items_len,
        .costs = h->costs,
        .costs_len = h->costs_len,
    };
}

enum end_cause attempt_too_long(struct attempt *a)
{
    char size[32];
    buf_addf(&a->why, "result larger than %s (output_size)",
        text_size(a->stage->spec->tuning.output_size_bytes, size, sizeof(size)));
    return END_FAIL;
}

enum end_cause attempt_limited(struct attempt *a)
{
    if (a->heard.limit_ms > a->after_ms)
        a->after_ms = a->heard.limit_ms;
    return END_SNOOZE;
}

static enum end_cause cause_of(struct attempt *a)
{
    const struct heard *h = &a->heard;
    switch (h->outcome) {
    case MESSAGE_DONE:
        if (h->result.len > (size_t)a->stage->spec->tuning.output_size_bytes)
            return attempt_too_long(a);
        buf_add(&a->result, buf_str(&h->result), h->result.len);
        return END_DONE;
    case MESSAGE_SKIP:
        return END_SKIP;
    case MESSAGE_SNOOZE:
        return END_SNOOZE;
    case MESSAGE_FAIL:
        return END_FAIL;
    case MESSAGE_WAIT:
        return END_WAIT;
    case MESSAGE_RETRY:
        return h->has_limit ? attempt_limited(a) : END_RETRY;
    case MESSAGE_UNKNOWN:
    case MESSAGE_HELLO:
    case MESSAGE_PROGRESS:
    case MESSAGE_CHECKPOINT:
    case MESSAGE_COST:
    case MESSAGE_LIMIT:
    case MESSAGE_SPAWN:
    case MESSAGE_LOG:
    case MESSAGE_TYPE_COUNT:
        break;
    }
    return END_RETRY;
}

enum end_cause attempt_by_message(struct attempt *a)
{
    const struct heard *h = &a->heard;
    const char *said = message_type_name(h->outcome);
    buf_reset(&a->why);
    buf_reset(&a->result);
    a->is_by_message = true;
    a->after_ms = h->after_ms;
    result_why(buf_str(&h->why), h->why.len, &a->why);
    enum end_cause cause = cause_of(a);
    if (a->why.len == 0 && cause != END_DONE)
        buf_addf(&a->why, "the handler said %s", said);
    buf_adds(&a->how, said);
    return cause;
}

enum end_cause attempt_broken(struct attempt *a)
{
    buf_reset(&a->why);
    buf_adds(&a->why, buf_str(&a->heard.broken));
    buf_adds(&a->how, a->heard.is_refused ? "refused" : "protocol error");
    return a->heard.is_refused ? END_FAIL : END_RETRY;
}

enum end_cause attempt_taken_down(struct attempt *a, bool is_alone)
{
    if (!is_alone && a->stage->spec->tuning.retryable != RETRYABLE_NO)
        return END_CRASHED;
    a->is_suspect = true;
    return END_RETRY;
}

bool attempt_refuse(struct attempt *a, enum rc rc, const struct err *err)
{
    bool is_about_input = rc == RC_INVALID || rc == RC_LIMIT;
    bool has_input =
        a->outcome.cause == END_DONE || a->outcome.items_len > 0 || a->outcome.checkpoint != NULL;
    if (!a->has_outcome || !is_about_input || !has_input)
        return false;
    a->is_by_message = false;
    a->heard.items_covered = 0; /* what covers them goes, too */
    a->heard.has_new_checkpoint = false;
    buf_reset(&a->why);
    buf_adds(&a->why, err->text);
    attempt_conclude(a, END_FAIL);
    return true;
}
