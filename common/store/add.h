/* add: "adding means: make it so" (DESIGN.md section 4), and the inbox that raw SQL writers fill.
 */
#ifndef STINT_STORE_ADD_H
#define STINT_STORE_ADD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"

struct add_item {
    const char *key;  /* checked by the store: text_check_key */
    const char *data; /* valid JSON text, or NULL: leave / {} */
    int64_t priority;
    bool has_priority; /* else the job's */
};

struct add_options {
    const char *source; /* "manual", "discover", "inbox" … */
    bool wants_retry;   /* reopen what is failed, exhausted, cancelled */
    bool is_dry_run;    /* count, then roll back */
    int64_t parent_id;  /* the item that spawned it; 0: none */
    int64_t depth;      /* of new items: 0, or one more than the parent's */
};

struct add_report {
    int64_t new_items, merged, reopened, unchanged;
    int64_t ended;     /* of merged/unchanged: failed, exhausted or cancelled, left so */
    int64_t claimable; /* stage runs made claimable: how many workers to wake */
};

/* All of items or none, one transaction (a bite: callers with millions call again). Adds to
 * *report. RC_INVALID: an item is wrong; *ret_bad (may be NULL) is its index, nothing was written.
 */
MUST_CHECK enum rc store_add(struct store *store, const struct catalog_job *job,
    const struct add_item *items, size_t len, const struct add_options *opts,
    struct add_report *report, size_t *ret_bad, struct err *err);

/* Admits up to limit rows of the inbox in id order; what cannot be is marked refused with the
 * reason. *ret_left: true if there are more. */
MUST_CHECK enum rc store_admit_inbox(struct store *store, const struct catalog *catalog,
    int64_t limit, struct add_report *report, bool *ret_left, struct err *err);

/* Reopens the discovery of every job that has one (items of @discover); at pool start. */
MUST_CHECK enum rc store_open_discoveries(
    struct store *store, const struct catalog *catalog, struct add_report *report, struct err *err);

#endif
