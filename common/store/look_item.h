/* look_item: everything about one item: itself, what happened to it, its results; its stage runs
 * come from select.h. Reads only, short, in pages. Used by stint. */
#ifndef STINT_STORE_LOOK_ITEM_H
#define STINT_STORE_LOOK_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/store.h"

/* Texts are owned: item_head_fini. */
struct item_head {
    int64_t id;
    char *data, *source, *status;  /* status: derived */
    char *parent_job, *parent_key; /* NULL: none */
    int64_t priority, depth, added_wall_ms, changed_wall_ms;
};

/* RC_NOTFOUND: no such job or key. */
MUST_CHECK enum rc look_item(
    struct store *store, const char *job, const char *key, struct item_head *ret, struct err *err);
void item_head_fini(struct item_head *head);

/* What a further attempt at this stage would begin with; *ret_checkpoint: owned, NULL: none.
 * RC_NOTFOUND: the item has no such stage. */
MUST_CHECK enum rc look_next_attempt(struct store *store, int64_t item_id, const char *stage,
    int64_t *ret_attempts, char **ret_checkpoint, struct err *err);

struct item_event {
    int64_t id, ts_wall_ms;
    char *event, *stage, *data; /* owned; stage may be NULL */
    char *death;                /* the certificate of its worker (JSON) or NULL */
};
struct item_events {
    struct item_event *list;
    size_t len;
};
/* The oldest first. */
MUST_CHECK enum rc look_item_events(
    struct store *store, int64_t item_id, struct item_events *ret, struct err *err);
void item_events_fini(struct item_events *events);

struct item_result {
    char *stage, *data, *version; /* owned; version may be NULL */
    bool is_superseded;
    int64_t created_wall_ms;
};
struct item_results {
    struct item_result *list;
    size_t len;
};
MUST_CHECK enum rc look_item_results(
    struct store *store, int64_t item_id, struct item_results *ret, struct err *err);
void item_results_fini(struct item_results *results);

/* What handlers have said of a stage run: JSON text, or NULL. Calls fn for each stage in order. */
typedef void (*item_note_fn)(
    void *ctx, const char *stage, const char *progress, const char *checkpoint);
MUST_CHECK enum rc look_item_notes(
    struct store *store, int64_t item_id, item_note_fn fn, void *ctx, struct err *err);

#endif
