/* attempt: what an ended attempt leaves behind besides its row: its events (docs/events.md) and the
 * trace by which a repeated outcome is recognised. Inside the caller's transaction. Used by
 * outcome.c (workers) and settle.c (keeper). */
#ifndef STINT_STORE_ATTEMPT_H
#define STINT_STORE_ATTEMPT_H

#include "common/store/ending.h"
#include "common/store/internal.h"

struct attempt {
    int64_t item_id, stage_id, job_id;
    int64_t claim, number;   /* number: attempts as raised by the claim */
    int64_t started_wall_ms; /* 0: not known */
    int64_t elapsed_ms;
    int64_t slot, pid; /* of the worker; pid 0: not known */
    const char *why, *how, *stderr_tail, *stdout_tail, *log_tail; /* NULL: none */
    const char *certificate;                                      /* JSON object; NULL: none */
};

/* The event of a cause; NULL: none is written (done, skipped: the row says it all). */
const char *attempt_event(enum end_cause cause);
/* Writes that event, and item.exhausted when the tries are used up. next_wall_ms: of retry_later.
 */
MUST_CHECK enum rc attempt_log(struct store *store, int64_t now_wall_ms, enum end_cause cause,
    const struct attempt *a, const struct ending *ending, struct err *err);
/* Whether an event of this kind bears this claim, looked for since the attempt began. */
MUST_CHECK enum rc attempt_has_event(struct store *store, const char *event, int64_t since_wall_ms,
    const struct attempt *a, bool *ret, struct err *err);

#endif
