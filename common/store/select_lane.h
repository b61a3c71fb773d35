/* select_lane: by which index the candidates of a selection are read, and where in it the walk is.
 * By key when the filter has one; else by status, when all its statuses have an index of their own;
 * else job by job (the runs of an item together), when jobs or the status of items are asked for;
 * else through all stage runs, in bounded pieces. Brings a superset: the caller checks every row.
 * Called by select.c only. */
#ifndef STINT_STORE_SELECT_LANE_H
#define STINT_STORE_SELECT_LANE_H

#include "common/store/internal.h"
#include "common/store/select.h"

struct lane_scope {
    const struct select_stage *stages;
    size_t stages_len;
    uint32_t statuses; /* bits */
};

enum lane_kind { LANE_KEY, LANE_STATUS, LANE_JOB, LANE_SCAN };

/* One stretch of an index. */
struct lane {
    enum lane_kind kind;
    enum stage_status status; /* LANE_STATUS */
    int64_t job_id, stage_id; /* 0: any */
    const char *key;          /* LANE_KEY; borrowed from the filter */
};

struct lanes {
    struct store *store;
    struct lane *list;
    size_t len, at;

    /* Where in list[at] the walk is. */
    bool is_begun;
    int64_t after_place, after_id;
    char *after_key;
    char statuses[160]; /* "|done|held|"; of LANE_SCAN */
    int64_t last_id;    /* LANE_SCAN ends here */
};

/* Candidates. */
struct lane_page {
    int64_t *ids;
    size_t len, cap;
};

MUST_CHECK enum rc lanes_plan(struct lanes *lanes, struct store *store, const struct filter *filter,
    const struct lane_scope *scope, struct err *err);
void lanes_fini(struct lanes *lanes);
/* Further ids in place of those in page, perhaps none yet; RC_DONE: there are no more. */
MUST_CHECK enum rc lanes_next(struct lanes *lanes, struct lane_page *page, struct err *err);

#endif
