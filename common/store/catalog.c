#include "common/store/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/catalog_sync.h"
#include "common/store/query.h"

void catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return;
    for (size_t i = 0; i < catalog->jobs_len; i++)
        free(catalog->jobs[i].stages);
    free(catalog->jobs);
    free(catalog);
}

static void cleanup_catalog(struct catalog **catalog)
{
    catalog_free(*catalog);
}

const struct catalog_job *catalog_job(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->jobs_len; i++) {
        if (strcmp(c->jobs[i].spec->name, name) == 0)
            return &c->jobs[i];
    }
    return NULL;
}

const struct catalog_stage *catalog_stage(const struct catalog *c, int64_t stage_id)
{
    for (size_t i = 0; i < c->jobs_len; i++) {
        for (size_t k = 0; k < c->jobs[i].spec->stages_len; k++) {
            if (c->jobs[i].stages[k].id == stage_id)
                return &c->jobs[i].stages[k];
        }
    }
    return NULL;
}

/* config->jobs, then @discover. */
static const struct job_spec *spec_at(const struct config *config, size_t i)
{
    return i < config->jobs_len ? &config->jobs[i] : config_discover_job();
}

static enum rc find_job(
    struct store *store, const char *name, int64_t *ret_id, bool *ret_is_enabled, struct err *err)
{
    QUERY q = query(store, Q_JOB_GET);
    put_text(&q, "name", name);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret_id = get_int(&q, "id");
    *ret_is_enabled = get_int(&q, "enabled") != 0;
    return RC_OK;
}

static enum rc unknown(const struct job_spec *job, const char *stage, struct err *err)
{
    return err_set(err, RC_NOTFOUND,
        "the database does not know %s%s%s yet; start a pool or add an item first: stint run, "
        "stint add",
        job->name, stage ? "." : "", stage ? stage : "");
}

static enum rc load_job(
    struct store *store, const struct job_spec *spec, struct catalog_job *job, struct err *err)
{
    bool is_enabled = false;
    job->spec = spec;
    job->stages = xcalloc(spec->stages_len, sizeof *job->stages);
    enum rc rc = find_job(store, spec->name, &job->id, &is_enabled, err);
    if (rc == RC_NOTFOUND)
        return unknown(spec, NULL, err);
    CLEANUP(stage_rows_fini) struct stage_rows rows = {0};
    if (rc == RC_OK)
        rc = stage_rows_read(store, job->id, &rows, err);
    for (size_t i = 0; rc == RC_OK && i < spec->stages_len; i++) {
        job->stages[i] = (struct catalog_stage){.spec = &spec->stages[i], .job = job};
        for (size_t k = 0; k < rows.len; k++) {
            if (rows.list[k].is_enabled && strcmp(rows.list[k].name, spec->stages[i].name) == 0)
                job->stages[i].id = rows.list[k].id;
        }
        if (!job->stages[i].id)
            rc = unknown(spec, spec->stages[i].name, err);
    }
    return rc;
}

struct catalog *catalog_number(const struct config *config)
{
    struct catalog *c = xcalloc(1, sizeof *c);
    int64_t stage_id = 0;
    c->jobs_len = config->jobs_len + 1;
    c->jobs = xcalloc(c->jobs_len, sizeof *c->jobs);
    for (size_t i = 0; i < c->jobs_len; i++) {
        struct catalog_job *job = &c->jobs[i];
        job->id = (int64_t)i + 1;
        job->spec = spec_at(config, i);
        job->stages = xcalloc(job->spec->stages_len, sizeof *job->stages);
        for (size_t k = 0; k < job->spec->stages_len; k++)
            job->stages[k] = (struct catalog_stage){++stage_id, &job->spec->stages[k], job};
    }
    return c;
}

enum rc catalog_load(
    struct store *store, const struct config *config, struct catalog **ret, struct err *err)
{
    CLEANUP(cleanup_catalog) struct catalog *c = xcalloc(1, sizeof *c);
    c->jobs_len = config->jobs_len + 1;
    c->jobs = xcalloc(c->jobs_len, sizeof *c->jobs);
    for (size_t i = 0; i < c->jobs_len; i++) {
        enum rc rc = load_job(store, spec_at(config, i), &c->jobs[i], err);
        if (rc)
            return rc;
    }
    *ret = TAKE_PTR(c);
    return RC_OK;
}

static bool renew_job(const struct catalog_job *old, struct catalog_job *job)
{
    job->id = old->id;
    job->stages = xcalloc(job->spec->stages_len, sizeof *job->stages);
    for (size_t i = 0; i < job->spec->stages_len; i++) {
        const struct stage_spec *spec = &job->spec->stages[i];
        job->stages[i] = (struct catalog_stage){.spec = spec, .job = job};
        for (size_t k = 0; k < old->spec->stages_len; k++) {
            if (strcmp(old->stages[k].spec->name, spec->name) == 0)
                job->stages[i].id = old->stages[k].id;
        }
        if (!job->stages[i].id)
            return false;
    }
    return job->spec->stages_len == old->spec->stages_len;
}

struct catalog *catalog_renew(const struct catalog *old, const struct config *config)
{
    CLEANUP(cleanup_catalog) struct catalog *c = xcalloc(1, sizeof *c);
    c->jobs_len = config->jobs_len + 1;
    c->jobs = xcalloc(c->jobs_len, sizeof *c->jobs);
    for (size_t i = 0; i < c->jobs_len; i++) {
        c->jobs[i].spec = spec_at(config, i);
        const struct catalog_job *job = catalog_job(old, c->jobs[i].spec->name);
        if (!job || !renew_job(job, &c->jobs[i]))
            return NULL;
    }
    return c->jobs_len == old->jobs_len ? TAKE_PTR(c) : NULL;
}

/* Ids of jobs that are enabled in the database but not in the configuration. */
static enum rc list_gone(struct store *store, const struct config *config, int64_t **ret,
    size_t *ret_len, struct err *err)
{
    QUERY q = query(store, Q_JOB_LIST);
    int64_t *ids = NULL;
    size_t len = 0;
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        const char *name = get_text(&q, "name");
        if (!get_int(&q, "enabled") || strcmp(name, DISCOVER_JOB) == 0 || config_job(config, name))
            continue;
        ids = xrealloc(ids, (len + 1) * sizeof *ids);
        ids[len++] = get_int(&q, "id");
    }
    *ret = ids;
    *ret_len = len;
    return rc == RC_DONE ? RC_OK : rc;
}

static enum rc is_current(
    struct store *store, const struct config *config, bool *ret, struct err *err)
{
    CLEANUP_FREE int64_t *gone = NULL;
    size_t gone_len = 0;
    *ret = false;
    enum rc rc = list_gone(store, config, &gone, &gone_len, err);
    if (rc || gone_len > 0)
        return rc;
    for (size_t i = 0; i <= config->jobs_len; i++) {
        const struct job_spec *spec = spec_at(config, i);
        int64_t id = 0;
        bool is_enabled = false, is_same = false;
        rc = find_job(store, spec->name, &id, &is_enabled, err);
        if (rc == RC_OK && is_enabled)
            rc = job_compare(store, id, spec, &is_same, err);
        if (rc == RC_NOTFOUND || (rc == RC_OK && !is_same))
            return RC_OK;
        if (rc)
            return rc;
    }
    *ret = true;
    return RC_OK;
}

static enum rc enable_job(struct store *store, int64_t id, bool is_enabled, struct err *err)
{
    QUERY q = query(store, Q_JOB_ENABLE);
    put_int(&q, "id", id);
    put_int(&q, "enabled", is_enabled);
    return query_write(&q, NULL, err);
}

static enum rc insert_job(
    struct store *store, const char *name, int64_t now, int64_t *ret_id, struct err *err)
{
    QUERY q = query(store, Q_JOB_INSERT);
    put_text(&q, "name", name);
    put_int(&q, "now_ms", now);
    enum rc rc = query_write(&q, NULL, err);
    if (rc == RC_OK)
        *ret_id = store->driver->last_id(store->db);
    return rc;
}

static enum rc sync_job(
    struct store *store, const struct job_spec *spec, int64_t now, struct err *err)
{
    int64_t id = 0;
    bool is_enabled = false, is_same = false;
    enum rc rc = find_job(store, spec->name, &id, &is_enabled, err);
    if (rc == RC_OK && is_enabled)
        rc = job_compare(store, id, spec, &is_same, err);
    if (is_same) /* its lanes may be long: nothing to look for there */
        return rc;
    if (rc == RC_NOTFOUND)
        rc = insert_job(store, spec->name, now, &id, err);
    else if (rc == RC_OK && !is_enabled)
        rc = enable_job(store, id, true, err);
    return rc ? rc : job_sync(store, id, spec, now, err);
}

enum rc catalog_write(
    struct store *store, const struct config *config, int64_t now, struct err *err)
{
    CLEANUP_FREE int64_t *gone = NULL;
    size_t gone_len = 0;
    enum rc rc = list_gone(store, config, &gone, &gone_len, err);
    for (size_t i = 0; rc == RC_OK && i < gone_len; i++)
        rc = enable_job(store, gone[i], false, err);
    for (size_t i = 0; rc == RC_OK && i <= config->jobs_len; i++)
        rc = sync_job(store, spec_at(config, i), now, err);
    return rc;
}

enum rc catalog_sync(
    struct store *store, const struct config *config, struct catalog **ret, struct err *err)
{
    bool is_same = false;
    enum rc rc = is_current(store, config, &is_same, err);
    if (rc == RC_OK && !is_same) {
        rc = txn_begin(store, TXN_FULL, err);
        if (rc == RC_OK)
            rc = txn_end(store, catalog_write(store, config, clock_wall_ms(), err), err);
    }
    return rc ? rc : catalog_load(store, config, ret, err);
}
