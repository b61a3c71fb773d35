/* driver: what a database must be able to do, as one struct of functions. sqlite.c fills it now,
 * PostgreSQL will later. Below it: statements by name (generated from sql/<dialect>/ *.sql into
 * statements.h), bound and read by name. Above it: the files of common/store, which speak of the
 * queue. No other folder includes this header. */
#ifndef STINT_STORE_DRIVER_H
#define STINT_STORE_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/store/store.h"
#include "statements.h" /* enum query, struct statement: generated */

struct db;   /* one connection */
struct stmt; /* one prepared statement of it, reset when asked for again */

struct schema_state {
    int64_t version; /* 0: none yet */
    bool is_empty;   /* nothing in the file */
    int64_t page_bytes;
    bool is_ours;    /* bears our mark */
};

/* Told after each bite of a copy; returns false to stop it. */
struct copy_watch {
    bool (*fn)(void *ctx, int64_t pages_done, int64_t pages);
    void *ctx;
};

struct driver {
    const char *name; /* "sqlite" */
    const struct migration *migrations;
    const size_t *migrations_len;
    MUST_CHECK enum rc (*open)(const struct store_options *opts, struct db **ret, struct err *err);
    /* The close that follows removes the log, if nobody else has the database open. */
    void (*tidy)(struct db *db);
    void (*close)(struct db *db);
    /* Takes the write lock at once (waits as configured). RC_BUSY: not within the timeout. is_full:
     * its commit is on disk when it returns, whatever the durability. */
    MUST_CHECK enum rc (*begin)(struct db *db, bool is_full, struct err *err);
    MUST_CHECK enum rc (*commit)(struct db *db, struct err *err);
    void (*rollback)(struct db *db); /* safe at any time, also when the database already did */
    /* The statement, reset and unbound; prepared at first use, owned by db. */
    struct stmt *(*query)(struct db *db, enum query id);
    void (*bind_int)(struct stmt *s, const char *name, int64_t value);
    void (*bind_text)(
        struct stmt *s, const char *name, const char *value); /* NULL: null; borrowed */
    void (*bind_null)(struct stmt *s, const char *name);
    /* RC_ROW, RC_DONE (then reset), or an error (then reset). */
    MUST_CHECK enum rc (*step)(struct stmt *s, struct err *err);
    int64_t (*col_int)(struct stmt *s, const char *name);
    bool (*col_is_null)(struct stmt *s, const char *name);
    const char *(*col_text)(struct stmt *s, const char *name); /* NULL: null; until the next step */
    void (*reset)(struct stmt *s);
    int64_t (*changes)(struct db *db); /* rows of the last write statement */
    int64_t (*last_id)(struct db *db);

    MUST_CHECK enum rc (*schema)(struct db *db, struct schema_state *ret, struct err *err);
    /* Runs a migration's script inside the caller's transaction. */
    MUST_CHECK enum rc (*migrate)(struct db *db, const struct migration *m, struct err *err);
    /* The file itself: one line a problem. */
    MUST_CHECK enum rc (*verify)(struct db *db, struct buf *problems, struct err *err);
    void (*expect_bulk)(struct db *db); /* a larger cache; only ever a help */
    MUST_CHECK enum rc (*verify_quick)(struct db *db, struct buf *problems, struct err *err);
    MUST_CHECK enum rc (*checkpoint)(struct db *db, uint32_t *ret_left, struct err *err);
    /* One state of the database is read from now on, until rollback. */
    MUST_CHECK enum rc (*snapshot)(struct db *db, struct err *err);
    /* Copies the file as it is read now into another, empty one. RC_AGAIN: fn said stop. */
    MUST_CHECK enum rc (*copy)(
        struct db *db, const char *to, const struct copy_watch *watch, struct err *err);
    const char *(*version)(void);               /* of the library that is loaded */
    uint32_t (*wal_pages)(const struct db *db); /* after the newest commit of this process */
};

extern const struct driver driver_sqlite;

#endif
