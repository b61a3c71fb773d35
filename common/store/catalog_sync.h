/* catalog_sync: makes the rows of jobs what the configuration says, inside the caller's
 * transaction. Called by catalog.c and reload.c. */
#ifndef STINT_STORE_CATALOG_SYNC_H
#define STINT_STORE_CATALOG_SYNC_H

#include "common/store/internal.h"

#define STAGE_GONE "the stage is not in the configuration"

struct stage_row {
    int64_t id, position;
    char *name, *version;
    bool is_enabled;
};
struct stage_rows {
    struct stage_row *list;
    size_t len;
};

void stage_rows_fini(struct stage_rows *rows);
/* In order of position; those that left the configuration too. */
MUST_CHECK enum rc stage_rows_read(
    struct store *store, int64_t job_id, struct stage_rows *ret, struct err *err);
/* *ret_is_same: the rows, and the edges (each stage after the one before it), are as in spec. */
MUST_CHECK enum rc job_compare(struct store *store, int64_t job_id, const struct job_spec *spec,
    bool *ret_is_same, struct err *err);
MUST_CHECK enum rc job_sync(struct store *store, int64_t job_id, const struct job_spec *spec,
    int64_t now_wall_ms, struct err *err);

/* Of all jobs (catalog.c); those that left the configuration are disabled. For reload.c too. */
MUST_CHECK enum rc catalog_write(
    struct store *store, const struct config *config, int64_t now_wall_ms, struct err *err);

#endif
