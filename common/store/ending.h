/* ending: the statuses, their transition table, and what each end of an attempt does: pure tables
 * and arithmetic (DESIGN.md section 1). The database enforces the same transition table by trigger;
 * a test compares the two. */
#ifndef STINT_STORE_ENDING_H
#define STINT_STORE_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/statuses.h"
#include "common/config/config.h"

const char *status_name(enum stage_status status);
bool status_parse(const char *name, enum stage_status *ret);
bool status_may_become(enum stage_status from, enum stage_status to);
bool status_is_moving(enum stage_status status); /* pending, in_progress, retry_later */

/* Why an attempt ended; further causes (cancel, hold …) are added as they come. */
enum end_cause {
    END_DONE,
    END_SKIP,
    END_RETRY,       /* handler asks for it, timeout, signal, limit exceeded */
    END_FAIL,        /* permanent */
    END_STAGE_PAUSE, /* exit 77, 78, 126, 127, start failure: given back, the stage is paused */
    END_INTERRUPTED, /* its worker died */
    END_STOPPED,     /* pool stopped, claim given back */
    END_CRASHED,     /* its handler went down with others in hand: given back, runs alone next */
    END_SNOOZE,      /* the handler asks for it, or for a retry after its own limit */
    END_WAIT,        /* the handler waits for other items: looks again later */
    END_CAUSE_COUNT,
};

/* What the row becomes. */
struct ending {
    enum stage_status status;
    int64_t attempts, interruptions, streak;
    int64_t delay_ms; /* of retry_later: next_attempt_at = now + delay; else 0 */
    bool is_suspect;  /* its next attempt runs alone */
    bool is_snooze;   /* given back at its own wish: counted as such */
};

struct end_state {
    int64_t attempts;      /* as raised by the claim */
    int64_t interruptions; /* in all */
    int64_t streak;        /* interruptions in a row without a new checkpoint */
    bool is_suspect;       /* this attempt runs alone */
};

/* after_ms: the handler's lower bound, −1: none. random: any number, for the jitter. */
struct ending ending_decide(enum end_cause cause, const struct end_state *state,
    const struct stage_tuning *tuning, int64_t after_ms, uint64_t random);

/* min(base × factor^(attempt−1), max) plus 0..jitter of it; at least after_ms. */
int64_t retry_delay_ms(
    const struct stage_tuning *tuning, int64_t attempt, int64_t after_ms, uint64_t random);

#endif
