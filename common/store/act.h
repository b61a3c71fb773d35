/* act: what an operator does to the stage runs of a selection: retry, cancel. In bites, each one
 * transaction with one event a run (run.retried, run.cancelled), so that it can be interrupted and
 * repeated. Which status each act concerns follows from the transition table (ending.h). Used by
 * stint, later by the API. */
#ifndef STINT_STORE_ACT_H
#define STINT_STORE_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/catalog.h"
#include "common/store/select.h"

enum act {
    ACT_RETRY,  /* failed, exhausted, cancelled: claimable again, with all its tries; blocked while
                   what it comes after is not complete */
    ACT_CANCEL, /* all but done, skipped, cancelled: ended; who runs it has lost its claim */
};

struct act_options {
    enum act act;
    const struct catalog *catalog; /* act_bite needs it; else NULL will do */
    int64_t uid;                   /* who, for the events */
};

struct act_report {
    int64_t changed;
    int64_t claimable; /* of them: so many workers may be woken */
    int64_t running;   /* of them were in_progress: their workers must look at their claims */
    int64_t left_out;  /* the job or stage has left the configuration */
};

#define ACT_BITE 1000

/* The statuses that the act concerns, as bits: for selection_open. */
uint32_t act_statuses(enum act act);
/* Whether it would be left out: see act_report. */
bool act_leaves_out(const struct act_options *opts, const struct select_stage *stage);
/* The next bite of the selection; adds to *report, and to marked of the stages. RC_DONE: nothing
 * was left. After an error, the bite has changed nothing. */
MUST_CHECK enum rc act_bite(struct selection *sel, struct store *store,
    const struct act_options *opts, struct act_report *report, struct err *err);

#endif
