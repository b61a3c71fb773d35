#include "common/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json_scan.h"
#include "common/base/text.h"
#include "common/store/look.h"
#include "common/store/query.h"

enum rc store_open(const struct store_options *opts, struct store **ret, struct err *err)
{
    struct store *store = xcalloc(1, sizeof *store);
    store->driver = &driver_sqlite;
    store->path = xstrdup(opts->path);
    enum rc rc = store->driver->open(opts, &store->db, err);
    if (rc == RC_OK)
        *ret = store;
    else
        store_close(store);
    return rc;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store->driver->close(store->db);
    free(store->path);
    free(store);
}

void store_tidy(struct store *store)
{
    store->driver->tidy(store->db);
}

/* An empty database is one page. What is longer was another one, whose first page somebody wrote
 * over; nothing may begin in it anew. Its size is from before the look into it: what another
 * process has put there since is no riddle. */
static enum rc check_empty(
    const struct store *store, const struct schema_state *state, int64_t bytes, struct err *err)
{
    if (!state->is_empty || state->page_bytes <= 0 || bytes <= state->page_bytes)
        return RC_OK;
    const char *db = store->path;
    return err_set(err, RC_INVALID,
        "database %s is damaged: it holds %lld pages, but no tables: its first page was written "
        "over. Keep what there is (cp -p %s* SAFE_PLACE/), then restore a backup: stint stop; "
        "rm -f %s-wal %s-shm; cp BACKUP %s; stint db check   or save what can be read: "
        "sqlite3 %s .recover",
        db, (long long)((bytes + state->page_bytes - 1) / state->page_bytes), db, db, db, db, db);
}

/* RC_AGAIN: older than this program. */
static enum rc compare_schema(struct store *store, int64_t *ret_version, struct err *err)
{
    struct schema_state state = {0};
    int64_t bytes, wal_bytes;
    look_sizes(store->path, &bytes, &wal_bytes);
    enum rc rc = store->driver->schema(store->db, &state, err);
    if (!rc)
        rc = check_empty(store, &state, bytes, err);
    if (rc)
        return rc;
    int64_t ours = (int64_t)*store->driver->migrations_len;
    *ret_version = state.version;
    if (!state.is_ours && !state.is_empty)
        return err_set(err, RC_INVALID,
            "%s is a database, but not stint's; choose another path: database = PATH in [pool]",
            store->path);
    if (state.version > ours)
        return err_set(err, RC_INVALID,
            "database %s has schema %lld, but this program (%s) knows only %lld; install a newer "
            "stint",
            store->path, (long long)state.version, STINT_VERSION, (long long)ours);
    return state.version == ours ? RC_OK : RC_AGAIN;
}

enum rc store_check_schema(struct store *store, struct err *err)
{
    int64_t version = 0;
    enum rc rc = compare_schema(store, &version, err);
    if (rc != RC_AGAIN)
        return rc;
    if (version == 0)
        return err_set(err, RC_INVALID,
            "database %s is empty; add an item or start a pool first: stint add, stint run",
            store->path);
    return err_set(err, RC_INVALID,
        "database %s has the older schema %lld; start a pool once, it migrates: stint run",
        store->path, (long long)version);
}

static enum rc migrate_all(struct store *store, struct err *err)
{
    int64_t version = 0;
    enum rc rc = compare_schema(store, &version, err); /* again: now under the lock */
    if (rc != RC_AGAIN)
        return rc;
    for (size_t i = (size_t)version; i < *store->driver->migrations_len; i++) {
        rc = store->driver->migrate(store->db, &store->driver->migrations[i], err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

enum rc store_migrate(struct store *store, struct err *err)
{
    int64_t version = 0;
    enum rc rc = compare_schema(store, &version, err);
    if (rc != RC_AGAIN)
        return rc;
    rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    return txn_end(store, migrate_all(store, err), err);
}

void store_expect_bulk(struct store *store)
{
    store->driver->expect_bulk(store->db);
}

enum rc store_checkpoint(struct store *store, uint32_t *ret_pages, struct err *err)
{
    return store->driver->checkpoint(store->db, ret_pages, err);
}

uint32_t store_wal_pages(const struct store *store)
{
    return store->driver->wal_pages(store->db);
}

const char *store_library_version(void)
{
    return driver_sqlite.version();
}

enum rc store_verify_quick(struct store *store, struct buf *problems, struct err *err)
{
    return store->driver->verify_quick(store->db, problems, err);
}

enum rc store_verify(struct store *store, struct buf *problems, struct err *err)
{
    static const enum query checks[] = {Q_VERIFY_COUNTS, Q_VERIFY_CLAIMS, Q_VERIFY_RESULTS,
        Q_VERIFY_ROWS, Q_VERIFY_RETRIES, Q_VERIFY_ORDER, Q_VERIFY_RANKS};
    enum rc rc = store->driver->verify(store->db, problems, err);
    for (size_t i = 0; rc == RC_OK && i < sizeof checks / sizeof checks[0]; i++) {
        QUERY q = query(store, checks[i]);
        while ((rc = query_step(&q, err)) == RC_ROW)
            buf_addf(problems, "%s\n", get_text(&q, "problem"));
        rc = rc == RC_DONE ? RC_OK : rc;
    }
    return rc;
}

enum rc txn_begin(struct store *store, enum txn kind, struct err *err)
{
    return store->driver->begin(store->db, kind == TXN_FULL, err);
}

enum rc txn_end(struct store *store, enum rc rc, struct err *err)
{
    if (rc == RC_OK)
        return store->driver->commit(store->db, err);
    store->driver->rollback(store->db);
    return rc;
}

enum rc query_write(struct query_run *q, int64_t *ret_changes, struct err *err)
{
    enum rc rc;
    while ((rc = query_step(q, err)) == RC_ROW)
        continue;
    if (rc != RC_DONE)
        return rc;
    if (ret_changes)
        *ret_changes = q->store->driver->changes(q->store->db);
    return RC_OK;
}

enum rc query_one(struct query_run *q, struct err *err)
{
    enum rc rc = query_step(q, err);
    return rc == RC_DONE ? RC_NOTFOUND : rc;
}

enum rc event_put(struct store *store, int64_t now_wall_ms, const char *event,
    const struct event_ref *about, const char *data, struct err *err)
{
    QUERY q = query(store, Q_EVENT_INSERT);
    put_int(&q, "ts", now_wall_ms);
    put_text(&q, "event", event);
    put_id(&q, "job_id", about->job_id);
    put_id(&q, "stage_id", about->stage_id);
    put_id(&q, "item_id", about->item_id);
    put_text(&q, "data", data ? data : "{}");
    return query_write(&q, NULL, err);
}

enum rc json_normal(const char *what, const char *text, size_t max, char **ret, struct err *err)
{
    size_t len = strlen(text);
    if (len > max)
        return err_set(err, RC_LIMIT, "%s has %zu bytes; at most %zu are allowed", what, len, max);
    if (!text_is_utf8(text, len))
        return err_set(err, RC_INVALID, "%s is not valid UTF-8", what);
    CLEANUP(buf_fini) struct buf normal = BUF_INIT;
    (void)buf_room(&normal, len);
    if (!json_minify(text, len, &normal))
        return err_set(err, RC_INVALID, "%s is not valid JSON", what);
    *ret = buf_take(&normal);
    return RC_OK;
}
