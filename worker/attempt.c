#include "worker/attempt.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/sys.h"

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

void attempt_fini(struct attempt *a)
{
    bool is_large = was_large(a);
    close_fd(&a->stdout_fd);
    close_fd(&a->stderr_fd);
    buf_fini(&a->output);
    tail_fini(&a->tail);
    tail_fini(&a->logs);
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

void attempt_conclude(struct attempt *a, enum end_cause cause)
{
    a->has_outcome = true;
    a->outcome = (struct outcome){
        .run = &a->run,
        .stage = a->stage,
        .cause = cause,
        .result = cause == END_DONE ? buf_str(&a->result) : NULL,
        .why = text_or_null(&a->why),
        .how = text_or_null(&a->how),
        .stderr_tail = text_or_null(&a->stderr_text),
        .stdout_tail = text_or_null(&a->stdout_text),
        .log_tail = text_or_null(&a->log_text),
        .certificate = text_or_null(&a->certificate),
        .after_ms = -1,
        .elapsed_ms = (clock_mono_ns() - a->started_mono_ns) / NS_PER_MS,
        .random = sys_random(),
    };
}
