/* verdict: what a stage's own rules make of an end: exit.N for an exit status; permanent, transient
 * and retryable for the text of an error. Used by handler_exec.c and resident.c. Pure. */
#ifndef STINT_WORKER_VERDICT_H
#define STINT_WORKER_VERDICT_H

#include "common/config/config.h"
#include "common/store/ending.h"

/* status as wait(2) gives it; *ret_after_ms only for a snooze. */
enum end_cause verdict_exit(const struct stage_tuning *tuning, int status, int64_t *ret_after_ms);
/* Of a retry or failure; all other causes stay as they are. */
enum end_cause verdict_text(
    const struct stage_tuning *tuning, enum end_cause cause, const char *why);

#endif
