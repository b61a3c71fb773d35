/* sqlite_setup: what every SQLite connection of ours is set to, read back and checked, and the
 * other questions to the file as a whole that need statements only. Called by sqlite.c; never
 * includes SQLite's header. */
#ifndef STINT_STORE_SQLITE_SETUP_H
#define STINT_STORE_SQLITE_SETUP_H

#include "common/store/driver.h"
#include "common/store/lock_wait.h"

/* What may be behind a write that the system refused; "" when nothing is known. */
const char *setup_write_hint(void);
/* Runs a statement of the driver to its end. */
MUST_CHECK enum rc setup_run(struct db *db, enum query id, struct err *err);
/* Switches the file to write-ahead logging, if it is opened so; many processes may do so at once.
 */
MUST_CHECK enum rc setup_journal(
    struct db *db, const struct store_options *opts, struct lock_wait *wait, struct err *err);
/* Reads every setting back. */
MUST_CHECK enum rc setup_check(struct db *db, const char *path, bool is_normal, struct err *err);
/* The driver's schema, snapshot and verify. */
MUST_CHECK enum rc setup_schema(struct db *db, struct schema_state *ret, struct err *err);
void setup_expect_bulk(struct db *db);
MUST_CHECK enum rc setup_snapshot(struct db *db, struct err *err);
MUST_CHECK enum rc setup_verify(struct db *db, struct buf *problems, struct err *err);
MUST_CHECK enum rc setup_verify_quick(struct db *db, struct buf *problems, struct err *err);

#endif
