/* spawned: items that a running handler adds, in the caller's transaction: that of its outcome, or
 * of a note before. They come from the item of the run (source spawn, parent, depth), and are
 * merged as `stint add` merges, so that a repeat changes nothing. Called by outcome.c and notes.c.
 */
#ifndef STINT_STORE_SPAWNED_H
#define STINT_STORE_SPAWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define SPAWN_BITE 1000 /* so many at most in the transaction of an outcome */

struct job_spec;
struct run;
struct catalog;
struct catalog_stage;
struct store;

/* One item that a handler wants added. */
struct spawn_item {
    char *job; /* NULL: the job of the run */
    char *key;
    char *data; /* JSON text; NULL: none */
    int64_t priority;
    bool has_priority;
};

struct spawned {
    const struct run *run; /* that says so */
    const struct catalog_stage *stage;
    const struct catalog *catalog; /* NULL: only the run's own job is known */
    const struct spawn_item *items;
    size_t len;
};
/* RC_LIMIT: what items at this depth spawn would be deeper than max_depth of the job. */
MUST_CHECK enum rc spawned_check_depth(
    const struct job_spec *job, int64_t depth_of_parent, struct err *err);
/* RC_INVALID, RC_LIMIT: an item will never be taken (a job that is not there, too deep, its data);
 * the text says which. *ret_claimable is raised. */
MUST_CHECK enum rc spawned_add(struct store *store, const struct spawned *s, int64_t now_wall_ms,
    int64_t *ret_claimable, struct err *err);

#endif
