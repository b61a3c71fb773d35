/* overview: the exact counts of all jobs and stages, taken in one read and kept, with the sums that
 * people ask for. Used by status, run, wait. Reads the store; prints nothing. */
#ifndef STINT_CLI_OVERVIEW_H
#define STINT_CLI_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/store/look.h"

struct stage_view {
    char *name;
    int64_t stage_id;
    bool is_enabled, is_paused;
    bool is_on_trial; /* paused by its handler */
    char *reason;     /* of the pause; NULL when not paused */
    int64_t retry_after_wall_ms;
    int64_t counts[STATUS_COUNT];
};

struct job_view {
    char *name;
    int64_t job_id; /* 0: not in the database yet */
    bool is_configured;
    bool is_paused;               /* as a whole: each stage has the reason and its end */
    bool is_finding;              /* its discovery still moves */
    int64_t failed_finding;       /* the event by which its discovery ended; 0: none known */
    char *finding_why;            /* what that event says; NULL: nothing */
    int64_t items, done_items;    /* done_items: see count_done_items() for how exact */
    int64_t counts[STATUS_COUNT]; /* sums over the stages */
    struct stage_view *stages;    /* by position */
    size_t stages_len;
};

/* jobs: those of the configuration in its order, then others the database knows; never @discover.
 */
struct overview {
    struct job_view *jobs;
    size_t len;
    int64_t failed_discoveries; /* jobs whose items could not be found */
};
#define OVERVIEW_INIT                                                                              \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* store NULL: nothing is known yet, all counts are 0. */
MUST_CHECK enum rc overview_take(
    struct store *store, const struct config *config, struct overview *ret, struct err *err);
void overview_fini(struct overview *o);
const struct job_view *overview_job(const struct overview *o, const char *name); /* or NULL */

int64_t job_moving(const struct job_view *job); /* runs pending, in_progress, retry_later */
int64_t job_failed(const struct job_view *job); /* failed and exhausted */
int64_t job_undone(const struct job_view *job); /* neither done nor skipped */
/* Everything that still moves sits in stages paused without an end, and nothing runs. */
bool job_is_stuck(const struct job_view *job);

#endif
