#include "common/store/spawned.h"

#include <string.h>

#include "common/store/exchange.h"
#include "common/store/merge.h"
#include "common/store/query.h"

static enum rc depth_of(struct store *store, int64_t item_id, int64_t *ret, struct err *err)
{
    QUERY q = query(store, Q_ITEM_DEPTH);
    put_int(&q, "id", item_id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc == RC_NOTFOUND ? err_set(err, RC_BUG, "a run without its item") : rc;
    *ret = get_int(&q, "depth");
    return RC_OK;
}

static const struct catalog_job *job_of(const struct spawned *s, const struct spawn_item *item)
{
    const struct catalog_job *own = s->stage->job;
    if (!item->job || strcmp(item->job, own->spec->name) == 0)
        return own;
    return s->catalog ? catalog_job(s->catalog, item->job) : NULL;
}

enum rc spawned_check_depth(const struct job_spec *job, int64_t depth_of_parent, struct err *err)
{
    const int64_t depth = depth_of_parent + 1;
    if (depth <= job->max_depth)
        return RC_OK;
    return err_set(err, RC_LIMIT,
        "spawned items would be at depth %lld; max_depth of [job %s] is %lld", (long long)depth,
        job->name, (long long)job->max_depth);
}

static enum rc add_one(
    struct merge *m, const struct spawned *s, const struct spawn_item *item, struct err *err)
{
    struct add_item add = {item->key, item->data, item->priority, item->has_priority};
    m->job = job_of(s, item);
    if (!m->job)
        return err_set(err, RC_INVALID,
            "spawned item %s: there is no job \"%s\" in the configuration", item->key, item->job);
    enum rc rc = merge_item(m, &add, err);
    return rc ? err_prefix(err, rc, "spawned item") : RC_OK;
}

enum rc spawned_add(struct store *store, const struct spawned *s, int64_t now_wall_ms,
    int64_t *ret_claimable, struct err *err)
{
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct add_options opts = {.source = "spawn", .parent_id = s->run->item_id};
    struct add_report report = {0};
    struct merge m = {.store = store,
        .opts = &opts,
        .report = &report,
        .now_wall_ms = now_wall_ms,
        .plan = &plan};
    if (s->len == 0)
        return RC_OK;
    enum rc rc = depth_of(store, s->run->item_id, &opts.depth, err);
    if (rc == RC_OK)
        rc = spawned_check_depth(s->stage->job->spec, opts.depth, err);
    opts.depth++;
    for (size_t i = 0; rc == RC_OK && i < s->len; i++)
        rc = add_one(&m, s, &s->items[i], err);
    *ret_claimable += report.claimable;
    return rc;
}
