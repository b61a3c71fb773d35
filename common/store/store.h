/* store: the one door to the database: opening, migrating, checkpoints. What the queue means is in
 * the neighbours: add.h, exchange.h, settle.h, catalog.h, look.h. Used by worker, keeper, stint,
 * discover; never by the supervisor. One store a process, opened after exec, used by one thread.
 * Every function is one transaction (BEGIN IMMEDIATE) or one statement unless it says otherwise. */
#ifndef STINT_STORE_STORE_H
#define STINT_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/config/config.h"

struct store;

/* Called by the store while it works; every member may be NULL. */
struct store_hooks {
    void *ctx;
    void (*on_begin)(void *ctx); /* before it asks for the write lock: let others go first */
    void (*on_wait)(void *ctx, bool is_waiting); /* waits for the write lock / has it or gave up */
    void (*on_busy)(void *ctx);               /* at least every 50 ms while it waits: send beats */
    void (*on_lock)(void *ctx, bool is_held); /* has the write lock / released it */
    void (*on_commit)(void *ctx, uint32_t wal_pages); /* after each commit of this process */
    /* Root made the database for the owner of its directory. */
    void (*on_given)(void *ctx, int64_t uid);
};

struct store_options {
    const char *path; /* absolute */
    enum durability durability;
    bool is_read_only;       /* never creates, never writes */
    bool is_old;             /* never creates, never sets up: what is there, as it is */
    bool is_copy;            /* a backup, which nobody else has open: may lie anywhere */
    bool is_beside_pool;     /* a running pool holds this file open and has committed to it */
    bool has_precedence;     /* waits for the write lock in the shortest steps: the keeper */
    int64_t busy_timeout_ms; /* 0: 30 s */
    struct store_hooks hooks;
};

/* Opens (creates when missing, unless read-only), sets and reads back every pragma of
 * RELIABILITY.md, refuses network file systems and files of another user. Does not migrate.
 * RC_NOTFOUND: read-only or old, and no file. */
MUST_CHECK enum rc store_open(
    const struct store_options *opts, struct store **ret, struct err *err);
void store_close(struct store *store);
/* Before the close of a pool's end: what the log holds goes into the database, and the log itself
 * goes, unless somebody else has the database open. No commit can meet that checkpoint: SQLite does
 * it under the exclusive lock that only the last connection gets. */
void store_tidy(struct store *store);
/* Brings the schema to this program's version; newer: RC_INVALID. Cheap when current. */
MUST_CHECK enum rc store_migrate(struct store *store, struct err *err);
/* RC_OK when the schema is this program's; RC_INVALID with the reason and what to type. */
MUST_CHECK enum rc store_check_schema(struct store *store, struct err *err);

/* Much will be written: keeps 32 MiB of the file in memory instead of 4, so that keys in no order
 * need not be fetched from it again and again. */
void store_expect_bulk(struct store *store);

/* A checkpoint by the safe rule: under the write lock, by a second connection. *ret_pages: left. */
MUST_CHECK enum rc store_checkpoint(struct store *store, uint32_t *ret_pages, struct err *err);
/* Pages in the WAL after this process's newest commit. */
uint32_t store_wal_pages(const struct store *store);
#define STORE_CHECKPOINT_PAGES 1000

/* The version of the library under the store, as it is loaded now: "3.40.1". */
const char *store_library_version(void);

/* For `doctor`: the file itself, without a look at what its rows say; one line a problem. */
MUST_CHECK enum rc store_verify_quick(struct store *store, struct buf *problems, struct err *err);
/* For tests and `db check`: integrity_check, foreign_key_check, our own asserts; one line a
 * problem. */
MUST_CHECK enum rc store_verify(struct store *store, struct buf *problems, struct err *err);

#endif
