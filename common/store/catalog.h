/* catalog: the configuration's jobs and stages and their ids in the database. Made by
 * catalog_sync (writers: keeper, stint without a pool) or catalog_load; read-only afterwards.
 * Borrows the config it was made from. */
#ifndef STINT_STORE_CATALOG_H
#define STINT_STORE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/store/store.h"

struct catalog_stage {
    int64_t id;
    const struct stage_spec *spec;
    const struct catalog_job *job;
};

struct catalog_job {
    int64_t id;
    const struct job_spec *spec;
    struct catalog_stage *stages; /* as spec->stages */
};

struct catalog {
    struct catalog_job *jobs; /* config->jobs, then @discover */
    size_t jobs_len;
};

/* One transaction: rows of jobs, stages, stage_edges, stage_counts become what the configuration
 * says. A stage that is new to a job with items gets rows for them; one that is gone is disabled
 * and its open runs are skipped with that reason. Nothing is written when nothing differs. */
MUST_CHECK enum rc catalog_sync(
    struct store *store, const struct config *config, struct catalog **ret, struct err *err);
/* Reads only; RC_NOTFOUND when the database does not know a job or stage of the configuration. */
MUST_CHECK enum rc catalog_load(
    struct store *store, const struct config *config, struct catalog **ret, struct err *err);
/* The same jobs and stages (a change of tuning only) by another configuration; NULL: they are not
 * the same. Reads no database. */
struct catalog *catalog_renew(const struct catalog *old, const struct config *config);
/* Without a database: for a trial, whose ids mean nothing to anybody else. */
struct catalog *catalog_number(const struct config *config);
void catalog_free(struct catalog *catalog);
const struct catalog_job *catalog_job(const struct catalog *c, const char *name);     /* or NULL */
const struct catalog_stage *catalog_stage(const struct catalog *c, int64_t stage_id); /* or NULL */

#endif
