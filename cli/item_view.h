/* item_view: everything that `show` says about one item, taken in one go: the item, its stage runs,
 * what happened to it, its results, and who runs it now; and as text. Used by cmd_show.c. */
#ifndef STINT_CLI_ITEM_VIEW_H
#define STINT_CLI_ITEM_VIEW_H

#include "cli/context.h"
#include "common/base/statuses.h"
#include "common/store/look_item.h"

struct run_view {
    char *stage, *error;         /* owned; error may be NULL */
    char *progress, *checkpoint; /* owned JSON text, or NULL */
    enum stage_status status;
    bool is_enabled;
    int64_t attempts, max_attempts; /* max 0: not in the configuration */
    int64_t interruptions, snoozes, claim;
    int64_t changed_wall_ms, started_wall_ms, ended_wall_ms, next_attempt_wall_ms; /* 0: none */
    int64_t elapsed_ms;                                                            /* −1: none */
    int64_t slot, pid; /* of the worker that runs it now; pid 0: not known */
};

struct item_view {
    const char *job, *key;
    struct item_head head;
    struct run_view *runs; /* in the order of the stages */
    size_t runs_len;
    struct item_events events;
    struct item_results results;
};

/* RC_NOTFOUND: there is no such item. Finish *ret in any case. */
MUST_CHECK enum rc item_view_take(
    struct cli *cli, const char *job, const char *key, struct item_view *ret, struct err *err);
void item_view_fini(struct item_view *view);

void item_view_text(const struct cli *cli, const struct item_view *view, struct buf *out);
void item_view_json(const struct item_view *view, struct buf *out);

#endif
