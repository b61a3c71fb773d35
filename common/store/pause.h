/* pause: a stage that is paused because its handler cannot work (exit 77, 78, 126, 127, no start):
 * for 60 s, doubling at each trial that fails, to 1 h; forgotten when a run succeeds. Inside the
 * caller's transaction. Called by outcome.c (pause, success) and settle.c (its end). */
#ifndef STINT_STORE_PAUSE_H
#define STINT_STORE_PAUSE_H

#include "common/store/internal.h"

#define PAUSE_BASE_MS 60000
#define PAUSE_MAX_MS 3600000

struct pause_plan {
    int64_t trial;
    int64_t until_wall_ms;
    bool is_known;    /* there is a row of an earlier pause */
    bool is_in_force; /* somebody else paused it already: nothing to write */
};

int64_t pause_length_ms(int64_t trial); /* trial counts from 1 */
MUST_CHECK enum rc pause_decide(struct store *store, const struct catalog_stage *stage,
    int64_t now_wall_ms, struct pause_plan *ret, struct err *err);

struct pausing {
    const struct catalog_stage *stage;
    struct pause_plan plan;
    const char *reason; /* NULL: a general one */
    int64_t now_wall_ms;
};
/* Writes it, with event stage.paused. */
MUST_CHECK enum rc pause_begin(struct store *store, const struct pausing *pausing, struct err *err);
/* A pause of a stage, as its row says. */
struct paused_stage {
    char *name; /* JOB.STAGE; owned */
    int64_t stage_id, trial, retry_after;
};
void paused_stage_fini(struct paused_stage *p);
/* It is over and forgotten: runs that waited for its end are due now. No event. */
MUST_CHECK enum rc pause_drop(
    struct store *store, const struct paused_stage *p, int64_t now_wall_ms, struct err *err);
MUST_CHECK enum rc pause_forget(
    struct store *store, const struct catalog_stage *stage, struct err *err);

/* A new pool gives every stage that its handler paused a fresh start: whoever has mended the
 * handler starts the pool again and expects it to work. Called by settle.c. */
MUST_CHECK enum rc pause_start_over(struct store *store, int64_t now_wall_ms, struct err *err);

#endif
