#include "common/store/sqlite_setup.h"

#include <string.h>
#include <sys/resource.h>

#include "common/store/lock_wait.h"

#define JOURNAL_LIMIT_BYTES 8388608 /* as in setup.sql */
#define APPLICATION_ID 0x73746e74   /* "stnt"; as in the first migration */

static const struct driver *const d = &driver_sqlite;

const char *setup_write_hint(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return "";
    return "; the size of files is limited here (ulimit -f): raise that limit, or have it "
           "unlimited; what was acknowledged is safe";
}

enum rc setup_run(struct db *db, enum query id, struct err *err)
{
    struct stmt *s = d->query(db, id);
    enum rc rc;
    while ((rc = d->step(s, err)) == RC_ROW)
        continue;
    return rc == RC_DONE ? RC_OK : rc;
}

static enum rc read_int(
    struct db *db, enum query id, const char *column, int64_t *ret, struct err *err)
{
    struct stmt *s = d->query(db, id);
    enum rc rc = d->step(s, err);
    if (rc == RC_ROW)
        *ret = d->col_int(s, column);
    d->reset(s);
    return rc == RC_ROW || rc == RC_DONE ? RC_OK : rc;
}

/* RC_AGAIN: another mode. */
static enum rc is_wal(struct db *db, struct err *err)
{
    struct stmt *s = d->query(db, Q_SQLITE_JOURNAL_MODE);
    enum rc rc = d->step(s, err);
    if (rc == RC_ROW)
        rc = strcmp(d->col_text(s, "journal_mode"), "wal") == 0 ? RC_OK : RC_AGAIN;
    d->reset(s);
    return rc;
}

static enum rc switch_to_wal(struct db *db, const char *path, struct err *err)
{
    enum rc rc = is_wal(db, err);
    if (rc == RC_AGAIN) {
        rc = setup_run(db, Q_SQLITE_SETUP_WAL, err);
        if (rc == RC_OK)
            rc = is_wal(db, err);
    }
    return rc != RC_AGAIN ? rc
                          : err_set(err, RC_STORE,
                                "database %s cannot be switched to write-ahead logging; is its "
                                "file system local?",
                                path);
}

/* The switch takes an exclusive lock without asking the busy handler, so when several processes
 * open a new file at once all but one are refused: they look again. */
static enum rc become_wal(struct db *db, const char *path, struct lock_wait *wait, struct err *err)
{
    enum rc rc = switch_to_wal(db, path, err);
    for (int count = 0; rc == RC_BUSY && lock_wait_step(wait, count); count++) {
        wait->has_tries = true;
        rc = switch_to_wal(db, path, err);
    }
    wait->has_tries = false;
    lock_wait_over(wait);
    return rc;
}

enum rc setup_journal(
    struct db *db, const struct store_options *opts, struct lock_wait *wait, struct err *err)
{
    if (opts->is_read_only)
        return RC_OK;
    if (!opts->is_old)
        return become_wal(db, opts->path, wait, err);
    enum rc rc = is_wal(db, err);
    return rc != RC_AGAIN ? rc : err_set(err, RC_INVALID, "database %s is not set up", opts->path);
}

static enum rc read_settings(struct db *db, bool *ret_is_right, struct err *err)
{
    struct stmt *s = d->query(db, Q_SQLITE_SETTINGS);
    enum rc rc = d->step(s, err);
    if (rc == RC_ROW)
        *ret_is_right = d->col_int(s, "secure_delete") == 0 &&
                        d->col_int(s, "journal_size_limit") == JOURNAL_LIMIT_BYTES &&
                        d->col_int(s, "foreign_keys") == 1 &&
                        d->col_int(s, "trusted_schema") == 0 &&
                        d->col_int(s, "cell_size_check") == 1;
    d->reset(s);
    return rc == RC_ROW ? RC_OK : rc;
}

enum rc setup_check(struct db *db, const char *path, bool is_normal, struct err *err)
{
    int64_t sync = -1, mapped = 0, auto_pages = -1;
    bool is_right = false;
    enum rc rc = read_int(db, Q_SQLITE_SETTING_SYNC, "synchronous", &sync, err);
    if (rc == RC_OK)
        rc = read_int(db, Q_SQLITE_SETTING_MMAP, "mmap_size", &mapped, err);
    if (rc == RC_OK)
        rc = read_int(db, Q_SQLITE_SETTING_CHECKPOINT, "wal_autocheckpoint", &auto_pages, err);
    if (rc == RC_OK)
        rc = read_settings(db, &is_right, err);
    if (rc)
        return rc;
    if (!is_right || sync != (is_normal ? 1 : 2) || mapped != 0 || auto_pages != 0)
        return err_set(
            err, RC_STORE, "database %s: this build of SQLite did not take our settings", path);
    return RC_OK;
}

enum rc setup_schema(struct db *db, struct schema_state *ret, struct err *err)
{
    struct stmt *s = d->query(db, Q_SQLITE_SCHEMA_VERSION);
    enum rc rc = d->step(s, err);
    if (rc == RC_ROW)
        *ret = (struct schema_state){
            .version = d->col_int(s, "version"),
            .page_bytes = d->col_int(s, "page_bytes"),
            .is_empty = d->col_int(s, "objects") == 0,
            .is_ours = d->col_int(s, "application_id") == APPLICATION_ID,
        };
    d->reset(s);
    return rc == RC_ROW ? RC_OK : rc;
}

void setup_expect_bulk(struct db *db)
{
    (void)!setup_run(db, Q_SQLITE_CACHE_BULK, NULL);
}

/* A transaction begins to see at its first read. */
enum rc setup_snapshot(struct db *db, struct err *err)
{
    struct schema_state state;
    enum rc rc = setup_run(db, Q_SQLITE_BEGIN_READ, err);
    return rc ? rc : setup_schema(db, &state, err);
}

static enum rc list_problems(struct db *db, enum query id, struct buf *problems, struct err *err)
{
    struct stmt *s = d->query(db, id);
    enum rc rc;
    while ((rc = d->step(s, err)) == RC_ROW) {
        const char *text = d->col_text(s, "problem");
        if (text && strcmp(text, "ok") != 0)
            buf_addf(problems, "%s\n", text);
    }
    return rc == RC_DONE ? RC_OK : rc;
}

enum rc setup_verify(struct db *db, struct buf *problems, struct err *err)
{
    enum rc rc = list_problems(db, Q_SQLITE_VERIFY_INTEGRITY, problems, err);
    return rc ? rc : list_problems(db, Q_SQLITE_VERIFY_FOREIGN_KEYS, problems, err);
}

enum rc setup_verify_quick(struct db *db, struct buf *problems, struct err *err)
{
    return list_problems(db, Q_SQLITE_VERIFY_QUICK, problems, err);
}
