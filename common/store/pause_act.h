/* pause_act: what an operator pauses and resumes: a job, or one stage of it, until it is resumed or
 * its time is over (then store_lift_pauses ends it). Each call is one transaction, committed FULL.
 * Used by stint. A pause that an operator made outlives pools; one of a stage's own handler
 * (pause.h) is taken over by it. */
#ifndef STINT_STORE_PAUSE_ACT_H
#define STINT_STORE_PAUSE_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"

struct pause_target {
    const struct catalog_job *job;
    const struct catalog_stage *stage; /* NULL: the whole job */
};

struct pause_state {
    bool is_paused;
    bool is_on_trial;      /* by its handler: it would be tried again at until_wall_ms */
    char *reason;          /* owned; NULL when not paused */
    int64_t until_wall_ms; /* 0: until it is resumed */
};
void pause_state_fini(struct pause_state *state);
/* Reads only. */
MUST_CHECK enum rc store_pause_look(struct store *store, const struct pause_target *target,
    struct pause_state *ret, struct err *err);

struct pause_wish {
    struct pause_target target;
    const char *reason; /* NULL: keeps that of a pause in force, else a general one */
    bool has_until;     /* false: keeps that of a pause in force by an operator, else no end */
    int64_t until_wall_ms;
    int64_t uid; /* who: for the event */
};

struct pause_claim {
    int64_t claim, stage_id;
};

/* The claims held when the pause came into force: their runs may be about to begin. */
struct pause_found {
    struct pause_state was, is;
    bool is_changed;
    struct pause_claim *claims; /* owned */
    size_t claims_len;
};
void pause_found_fini(struct pause_found *found);

/* Event job.paused or stage.paused; none when nothing changes. */
MUST_CHECK enum rc store_pause(
    struct store *store, const struct pause_wish *wish, struct pause_found *ret, struct err *err);
/* What store_pause would do; store NULL: nothing is known yet. Reads only. */
MUST_CHECK enum rc store_pause_plan(
    struct store *store, const struct pause_wish *wish, struct pause_found *ret, struct err *err);
/* Event job.resumed or stage.resumed; *ret_was: what it was (not paused: nothing is written). */
MUST_CHECK enum rc store_resume(struct store *store, const struct pause_target *target, int64_t uid,
    struct pause_state *ret_was, struct err *err);
/* Is a run still in progress under this claim? */
MUST_CHECK enum rc store_claim_runs(struct store *store, int64_t claim, bool *ret, struct err *err);

#endif
