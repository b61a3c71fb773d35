#include <sqlite3.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/store/driver.h"
#include "common/store/lock_wait.h"
#include "common/store/names.h"
#include "common/store/place.h"
#include "common/store/sqlite_setup.h"

#define BUSY_DEFAULT_MS 30000
#define PARAMS_MAX 16

struct stmt {
    struct db *db;
    const struct statement *meta;
    sqlite3_stmt *handle;
    int param_at[PARAMS_MAX];       /* SQLite's number of meta->params[i] */
    size_t next_param, next_column; /* asked for next, most likely: callers go by the head */
};

struct db {
    sqlite3 *main;
    sqlite3 *checkpointer; /* connection B of the safe rule; opened when first needed */
    struct lock_wait wait;
    char *path;
    bool is_normal, is_full_now, is_open;
    uint32_t wal_pages;
    struct stmt stmts[QUERY_COUNT];
};

static int on_busy(void *ctx, int count) /* of SQLite */
{
    return lock_wait_step(ctx, count);
}

static int on_wal(void *ctx, sqlite3 *handle, const char *schema, int pages)
{
    (void)handle, (void)schema;
    ((struct db *)ctx)->wal_pages = (uint32_t)pages;
    return SQLITE_OK;
}

static enum rc fail(
    const struct db *db, sqlite3 *handle, int code, const char *what, struct err *err)
{
    int kind = code & 0xff;
    if ((kind == SQLITE_READONLY || kind == SQLITE_CANTOPEN) && place_refuses(db->path, err))
        return RC_INVALID;
    switch (kind) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return lock_wait_refused(&db->wait, db->path, err);
    case SQLITE_NOMEM:
        return err_set(err, RC_NOMEM, "database %s: %s: out of memory", db->path, what);
    case SQLITE_FULL:
        return err_set(err, RC_STORE,
            "database %s: %s: the disk is full; make room, nothing is lost", db->path, what);
    case SQLITE_NOTADB:
        return err_set(err, db->is_open ? RC_CORRUPT : RC_INVALID,
            "%s is not a database; see [pool] database, or put a backup in its place", db->path);
    default: /* an int of SQLite, not an enum of ours */
        return err_set(err, kind == SQLITE_CORRUPT ? RC_CORRUPT : RC_STORE, "database %s: %s: %s%s",
            db->path, what, sqlite3_errmsg(handle), /* NULL: no memory */
            code == SQLITE_IOERR_WRITE ? setup_write_hint() : "");
    }
}

/* ---- statements ---- */

static void prepare(struct stmt *s)
{
    int code = sqlite3_prepare_v3(
        s->db->main, s->meta->text, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL);
    lock_wait_over(&s->db->wait);
    if (code != SQLITE_OK)
        return; /* step prepares again, and reports */
    assert((size_t)sqlite3_column_count(s->handle) == s->meta->columns_len);
    assert(s->meta->params_len <= PARAMS_MAX);
    for (size_t i = 0; i < s->meta->params_len; i++) {
        char name[64];
        (void)sqlite3_snprintf(sizeof name, name, ":%s", s->meta->params[i]);
        s->param_at[i] = sqlite3_bind_parameter_index(s->handle, name);
    }
}

static struct stmt *sqlite_query(struct db *db, enum query id)
{
    struct stmt *s = &db->stmts[id];
    if (s->handle) {
        (void)sqlite3_reset(s->handle);
        (void)sqlite3_clear_bindings(s->handle);
    } else {
        s->db = db;
        s->meta = &statements_sqlite[id];
        prepare(s);
    }
    return s;
}

static int param(struct stmt *s, const char *name)
{
    return s->param_at[names_find(s->meta->params, s->meta->params_len, name, &s->next_param)];
}

static int column(struct stmt *s, const char *name)
{
    return (int)names_find(s->meta->columns, s->meta->columns_len, name, &s->next_column);
}

static void sqlite_bind_int(struct stmt *s, const char *name, int64_t value)
{
    if (s->handle)
        (void)sqlite3_bind_int64(s->handle, param(s, name), value);
}

static void sqlite_bind_text(struct stmt *s, const char *name, const char *value)
{
    if (s->handle)
        (void)sqlite3_bind_text(s->handle, param(s, name), value, -1, SQLITE_STATIC);
}

static void sqlite_bind_null(struct stmt *s, const char *name)
{
    if (s->handle)
        (void)sqlite3_bind_null(s->handle, param(s, name));
}

static enum rc sqlite_step(struct stmt *s, struct err *err)
{
    struct db *db = s->db;
    if (!s->handle) /* never with bindings lost: what cannot be prepared now fails here */
        return fail(db, db->main, sqlite3_errcode(db->main), s->meta->name, err);
    int code = sqlite3_step(s->handle);
    lock_wait_over(&db->wait);
    if (code == SQLITE_ROW)
        return RC_ROW;
    enum rc rc = RC_DONE;
    if (code != SQLITE_DONE)
        rc = fail(db, db->main, code, s->meta->name, err);
    (void)sqlite3_reset(s->handle);
    if (sqlite3_get_autocommit(db->main)) /* an error may have rolled all back */
        lock_wait_set_locked(&db->wait, false);
    return rc;
}

static int64_t sqlite_col_int(struct stmt *s, const char *name)
{
    return sqlite3_column_int64(s->handle, column(s, name));
}

static bool sqlite_col_is_null(struct stmt *s, const char *name)
{
    return sqlite3_column_type(s->handle, column(s, name)) == SQLITE_NULL;
}

static const char *sqlite_col_text(struct stmt *s, const char *name)
{
    return (const char *)sqlite3_column_text(s->handle, column(s, name));
}

static void sqlite_reset(struct stmt *s)
{
    if (s->handle)
        (void)sqlite3_reset(s->handle);
}

/* ---- transactions ---- */

static enum rc set_sync(struct db *db, bool is_full, struct err *err)
{
    if (db->is_full_now == is_full)
        return RC_OK;
    enum rc rc = setup_run(db, is_full ? Q_SQLITE_SYNC_FULL : Q_SQLITE_SYNC_NORMAL, err);
    if (rc == RC_OK)
        db->is_full_now = is_full;
    return rc;
}

static enum rc sqlite_begin(struct db *db, bool is_full, struct err *err)
{
    enum rc rc = set_sync(db, is_full || !db->is_normal, err);
    if (rc == RC_OK && db->wait.hooks.on_begin)
        db->wait.hooks.on_begin(db->wait.hooks.ctx);
    if (rc == RC_OK)
        rc = setup_run(db, Q_SQLITE_BEGIN, err);
    if (rc == RC_OK)
        lock_wait_set_locked(&db->wait, true);
    return rc;
}

static void sqlite_rollback(struct db *db)
{
    for (int i = 0; i < QUERY_COUNT; i++)
        sqlite_reset(&db->stmts[i]);
    if (!sqlite3_get_autocommit(db->main))
        (void)!setup_run(db, Q_SQLITE_ROLLBACK, NULL);
    lock_wait_set_locked(&db->wait, false);
}

static enum rc sqlite_commit(struct db *db, struct err *err)
{
    if (sqlite3_get_autocommit(db->main))
        return err_set(err, RC_STORE, "database %s: the transaction was rolled back", db->path);
    enum rc rc = setup_run(db, Q_SQLITE_COMMIT, err);
    if (rc) {
        sqlite_rollback(db);
        return rc;
    }
    lock_wait_set_locked(&db->wait, false);
    if (db->wait.hooks.on_commit)
        db->wait.hooks.on_commit(db->wait.hooks.ctx, db->wal_pages);
    return RC_OK;
}

static int64_t sqlite_changes(struct db *db)
{
    return sqlite3_changes64(db->main);
}

static int64_t sqlite_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->main);
}

static uint32_t sqlite_wal_pages(const struct db *db)
{
    return db->wal_pages;
}

/* ---- opening ---- */

static enum rc open_handle(struct db *db, bool is_read_only, sqlite3 **ret, struct err *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | (is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    sqlite3 *handle = NULL;
    int code = sqlite3_open_v2(db->path, &handle, flags, NULL);
    if (code == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(handle, 1);
        (void)sqlite3_busy_handler(handle, on_busy, &db->wait); /* before the first pragma */
        code = sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle, statements_sqlite[Q_SQLITE_SETUP].text, NULL, NULL, NULL);
    lock_wait_over(&db->wait);
    if (code == SQLITE_OK) {
        *ret = handle;
        return RC_OK;
    }
    enum rc rc = fail(db, handle, code, "opening", err);
    (void)sqlite3_close(handle);
    return rc;
}

static enum rc set_up(struct db *db, const struct store_options *opts, struct err *err)
{
    enum rc rc = setup_journal(db, opts, &db->wait, err);
    db->is_full_now = db->is_normal; /* the other one, so that it is set */
    if (rc == RC_OK)
        rc = set_sync(db, !db->is_normal, err);
    if (rc == RC_OK)
        rc = setup_check(db, db->path, db->is_normal, err);
    if (rc == RC_OK)
        (void)sqlite3_wal_hook(db->main, on_wal, db); /* after the pragma, which resets it */
    return rc;
}

static void sqlite_tidy(struct db *db)
{
    (void)sqlite3_db_config(db->main, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

static void sqlite_close(struct db *db)
{
    if (!db)
        return;
    for (int i = 0; i < QUERY_COUNT; i++)
        (void)sqlite3_finalize(db->stmts[i].handle);
    (void)sqlite3_close(db->checkpointer);
    (void)sqlite3_close(db->main);
    free(db->path);
    free(db);
}

static int no_directory(const char *path, int *ret_fd)
{
    (void)path, (void)ret_fd;
    return SQLITE_CANTOPEN;
}

static enum rc sqlite_open(const struct store_options *opts, struct db **ret, struct err *err)
{
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD); /* as all our processes use it */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    enum rc rc = place_check(opts, err);
    if (rc)
        return rc;
    struct db *db = xcalloc(1, sizeof *db);
    db->wait.hooks = opts->hooks;
    db->path = xstrdup(opts->path);
    db->wait.timeout_ms = opts->busy_timeout_ms ? opts->busy_timeout_ms : BUSY_DEFAULT_MS;
    db->wait.has_precedence = opts->has_precedence;
    db->is_normal = opts->durability == DURABILITY_NORMAL;
    rc = open_handle(db, opts->is_read_only, &db->main, err);
    if (rc == RC_OK)
        rc = set_up(db, opts, err);
    /* A first commit syncs the directory in case the log is new. It is not, and now it stays. */
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (rc == RC_OK && opts->is_beside_pool && place_has_log(opts->path))
        (void)vfs->xSetSystemCall(vfs, "openDirectory", (sqlite3_syscall_ptr)no_directory);
    if (rc == RC_OK)
        *ret = db;
    db->is_open = rc == RC_OK;
    if (!db->is_open)
        sqlite_close(db);
    return rc;
}

/* ---- the file as a whole ---- */

static enum rc sqlite_migrate(struct db *db, const struct migration *m, struct err *err)
{
    int code = sqlite3_exec(db->main, m->text, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : fail(db, db->main, code, m->name, err);
}

/* The safe rule: A holds the write lock, so that no commit can meet the checkpoint of B. */
static enum rc sqlite_checkpoint(struct db *db, uint32_t *ret_left, struct err *err)
{
    enum rc rc = db->checkpointer ? RC_OK : open_handle(db, false, &db->checkpointer, err);
    if (rc == RC_OK)
        rc = sqlite_begin(db, false, err);
    if (rc)
        return rc;
    int in_wal = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(
        db->checkpointer, "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, &copied);
    if (code != SQLITE_OK)
        rc = fail(db, db->checkpointer, code, "checkpoint", err);
    sqlite_rollback(db);
    if (rc)
        return rc;
    db->wal_pages = in_wal > copied ? (uint32_t)(in_wal - copied) : 0;
    *ret_left = db->wal_pages;
    return RC_OK;
}

static enum rc sqlite_copy(
    struct db *db, const char *to, const struct copy_watch *watch, struct err *err)
{
    sqlite3 *out = NULL;
    bool goes_on = true;
    int code = sqlite3_open_v2(to, &out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_backup *b = code ? NULL : sqlite3_backup_init(out, "main", db->main, "main");
    while (b && goes_on && (code = sqlite3_backup_step(b, 1024)) == SQLITE_OK)
        goes_on = watch->fn(watch->ctx, sqlite3_backup_pagecount(b) - sqlite3_backup_remaining(b),
            sqlite3_backup_pagecount(b));
    enum rc rc = code == SQLITE_DONE ? RC_OK : goes_on ? fail(db, out, code, to, err) : RC_AGAIN;
    (void)sqlite3_backup_finish(b);
    (void)sqlite3_close(out);
    return rc;
}

const struct driver driver_sqlite = {
    .name = "sqlite",
    .migrations = migrations_sqlite,
    .migrations_len = &migrations_sqlite_len,
    .open = sqlite_open,
    .tidy = sqlite_tidy,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .query = sqlite_query,
    .bind_int = sqlite_bind_int,
    .bind_text = sqlite_bind_text,
    .bind_null = sqlite_bind_null,
    .step = sqlite_step,
    .col_int = sqlite_col_int,
    .col_is_null = sqlite_col_is_null,
    .col_text = sqlite_col_text,
    .reset = sqlite_reset,
    .changes = sqlite_changes,
    .last_id = sqlite_last_id,
    .schema = setup_schema,
    .migrate = sqlite_migrate,
    .verify = setup_verify,
    .expect_bulk = setup_expect_bulk,
    .verify_quick = setup_verify_quick,
    .checkpoint = sqlite_checkpoint,
    .snapshot = setup_snapshot,
    .copy = sqlite_copy,
    .version = sqlite3_libversion,
    .wal_pages = sqlite_wal_pages,
};
