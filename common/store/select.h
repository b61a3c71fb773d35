/* select: the stage runs that a filter means, one after the other. An index brings candidates in
 * pages (the most selective way that the filter's words allow), and common/filter decides about
 * each row as it is read; no read stays open between two calls. Reads only. Used by stint, later by
 * the dashboard; act.h acts on what it finds. */
#ifndef STINT_STORE_SELECT_H
#define STINT_STORE_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/filter/match.h"
#include "common/store/store.h"

/* A stage that the filter's words about jobs and stages leave. */
struct select_stage {
    int64_t job_id, stage_id;
    char *job, *stage;
    bool is_enabled;              /* in the configuration */
    int64_t counts[STATUS_COUNT]; /* when the selection was opened */
    int64_t marked;               /* the caller's: e.g. how many it has counted */
};

struct run_row {
    int64_t id, item_id;
    struct select_stage *stage;
    struct filter_subject s; /* texts are owned by the selection until its next call */
    int64_t snoozes, claim;  /* 0: none */
    int64_t next_attempt_wall_ms, started_wall_ms, ended_wall_ms; /* 0: none */
    int64_t elapsed_ms;                                           /* −1: none */
};

struct selection; /* one walk */

/* statuses: only these (bits), whatever the filter says. Borrows the filter. Runs of jobs whose
 * names begin with @ are left out unless the filter names such a job. */
MUST_CHECK enum rc selection_open(struct store *store, const struct filter *filter,
    uint32_t statuses, struct selection **ret, struct err *err);
void selection_close(struct selection *sel);
static inline void cleanup_selection(struct selection **sel)
{
    selection_close(*sel);
}
/* RC_ROW, RC_DONE, or an error. */
MUST_CHECK enum rc selection_next(struct selection *sel, struct run_row *ret, struct err *err);
/* The row that was given last is given again by the next call. */
void selection_put_back(struct selection *sel);
/* Reads a row that it found before once more: RC_NOTFOUND when it does not match any longer;
 * is_lax: when it is gone or has none of the statuses. */
MUST_CHECK enum rc selection_again(
    struct selection *sel, int64_t id, bool is_lax, struct run_row *ret, struct err *err);

/* The stages it looks at. */
struct select_stage *selection_stages(struct selection *sel, size_t *ret_len);
/* How many it finds, when that can be told without looking (words about job, stage and status
 * only), else −1. */
int64_t selection_known_count(const struct selection *sel);
/* The same of one of its stages, and of one status (STATUS_COUNT: all). */
int64_t selection_stage_count(
    const struct selection *sel, const struct select_stage *stage, enum stage_status status);

#endif
