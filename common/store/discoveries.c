#include "common/store/discoveries.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/store/merge.h"
#include "common/store/query.h"

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

static bool is_wanted(const struct name_list *only, const char *name)
{
    for (size_t i = 0; only && i < only->len; i++) {
        if (strcmp(only->list[i], name) == 0)
            return true;
    }
    return !only;
}

enum rc discoveries_open(struct store *store, const struct catalog *catalog,
    const struct name_list *only, struct add_report *report, struct err *err)
{
    struct add_options opts = {.source = "pool", .wants_retry = true};
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct merge m = {
        store, catalog_job(catalog, DISCOVER_JOB), &opts, report, clock_wall_ms(), &plan, true};
    if (!m.job)
        return RC_OK;
    enum rc rc = skip_orphans(store, catalog, m.job, m.now_wall_ms, err);
    for (size_t i = 0; rc == RC_OK && i < catalog->jobs_len; i++) {
        const char *name = catalog->jobs[i].spec->name;
        if (is_discovered(catalog, name) && is_wanted(only, name))
            rc = open_discovery(&m, name, err);
    }
    return rc;
}

enum rc store_open_discoveries(
    struct store *store, const struct catalog *catalog, struct add_report *report, struct err *err)
{
    struct add_report made = *report;
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    rc = txn_end(store, discoveries_open(store, catalog, NULL, &made, err), err);
    if (rc == RC_OK)
        *report = made;
    return rc;
}
