/* internal: what the files of common/store share and nobody else sees: the struct behind the
 * opaque one, transactions, the event log. Never included by another folder. */
#ifndef STINT_STORE_INTERNAL_H
#define STINT_STORE_INTERNAL_H

#include "common/store/catalog.h"
#include "common/store/driver.h"

#define DATA_MAX_BYTES ((size_t)1 << 20)
/* What a handler may say is bounded by output_size; as JSON text it may have six times the bytes.
 */
#define RESULT_MAX_BYTES ((size_t)512 << 20)

struct store {
    const struct driver *driver;
    struct db *db;
    char *path;
};

enum txn { TXN_PLAIN, TXN_FULL /* on disk whatever the durability */ };

MUST_CHECK enum rc txn_begin(struct store *store, enum txn kind, struct err *err);
/* Commits when rc is RC_OK, else rolls back; returns rc, or why the commit failed. */
MUST_CHECK enum rc txn_end(struct store *store, enum rc rc, struct err *err);

/* Ids 0: none. data: JSON object text. */
struct event_ref {
    int64_t job_id, stage_id, item_id;
};
MUST_CHECK enum rc event_put(struct store *store, int64_t now_wall_ms, const char *event,
    const struct event_ref *about, const char *data, struct err *err);

/* Checked (valid JSON, UTF-8, at most max bytes) and without needless blanks; what names the text
 * in errors. Caller frees *ret. RC_INVALID, RC_LIMIT. */
MUST_CHECK enum rc json_normal(
    const char *what, const char *text, size_t max, char **ret, struct err *err);

#endif
