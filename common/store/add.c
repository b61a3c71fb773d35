#include "common/store/add.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/json.h"
#include "common/store/merge.h"
#include "common/store/query.h"

static enum rc add_all(const struct merge *m, const struct add_item *items, size_t len,
    size_t *ret_bad, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        enum rc rc = merge_item(m, &items[i], err);
        if (rc) {
            if (ret_bad)
                *ret_bad = i;
            return rc;
        }
    }
    return RC_OK;
}

enum rc store_add(struct store *store, const struct catalog_job *job, const struct add_item *items,
    size_t len, const struct add_options *opts, struct add_report *report, size_t *ret_bad,
    struct err *err)
{
    struct add_report made = *report;
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct merge m = {store, job, opts, &made, clock_wall_ms(), &plan, false};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = add_all(&m, items, len, ret_bad, err);
    if (rc == RC_OK && opts->is_dry_run) {
        store->driver->rollback(store->db);
        *report = made;
        return RC_OK;
    }
    CRASH_POINT("add.before_commit");
    rc = txn_end(store, rc, err);
    CRASH_POINT("add.after_commit");
    if (rc == RC_OK)
        *report = made;
    return rc;
}

/* ---- the items of @discover ---- */

static bool is_discovered(const struct catalog *catalog, const char *name)
{
    const struct catalog_job *job = catalog_job(catalog, name);
    return job && job->spec->discover != DISCOVER_MANUAL && strcmp(name, DISCOVER_JOB) != 0;
}

/* A discovery whose job is gone, or is filled by hand now, would only fail. */
static enum rc skip_discovery(struct store *store, const struct catalog_job *hidden,
    int64_t item_id, int64_t now, struct err *err)
{
    QUERY q = query(store, Q_RUN_SKIP);
    put_int(&q, "item_id", item_id);
    put_int(&q, "stage_id", hidden->stages[0].id);
    put_text(&q, "why", "the job is not discovered any more");
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc skip_orphans(struct store *store, const struct catalog *catalog,
    const struct catalog_job *hidden, int64_t now, struct err *err)
{
    CLEANUP_FREE char *after = xstrdup("");
    for (;;) {
        int64_t id = 0;
        {
            QUERY q = query(store, Q_ITEM_KEYS);
            put_int(&q, "job_id", hidden->id);
            put_text(&q, "after_key", after);
            put_int(&q, "limit", 1);
            enum rc rc = query_one(&q, err);
            if (rc == RC_NOTFOUND)
                return RC_OK;
            if (rc != RC_ROW)
                return rc;
            id = get_int(&q, "id");
            char *key = xstrdup(get_text(&q, "item_key"));
            free(after);
            after = key;
        }
        enum rc rc =
            is_discovered(catalog, after) ? RC_OK : skip_discovery(store, hidden, id, now, err);
        if (rc)
            return rc;
    }
}

/* New or ended: claimable; one that still moves is left. */
static enum rc open_discovery(const struct merge *m, const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "job", name);
    json_end_object(&j);
    struct add_item item = {.key = name, .data = buf_str(&data)};
    return merge_item(m, &item, err);
}

static enum rc open_all(
    struct store *store, const struct catalog *catalog, const struct merge *m, struct err *err)
{
    enum rc rc = skip_orphans(store, catalog, m->job, m->now_wall_ms, err);
    for (size_t i = 0; rc == RC_OK && i < catalog->jobs_len; i++) {
        if (is_discovered(catalog, catalog->jobs[i].spec->name))
            rc = open_discovery(m, catalog->jobs[i].spec->name, err);
    }
    return rc;
}

enum rc store_open_discoveries(
    struct store *store, const struct catalog *catalog, struct add_report *report, struct err *err)
{
    struct add_options opts = {.source = "pool", .wants_retry = true};
    struct add_report made = *report;
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct merge m = {
        store, catalog_job(catalog, DISCOVER_JOB), &opts, &made, clock_wall_ms(), &plan, true};
    if (!m.job)
        return RC_OK;
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    rc = txn_end(store, open_all(store, catalog, &m, err), err);
    if (rc == RC_OK)
        *report = made;
    return rc;
}
