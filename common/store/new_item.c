#include "common/store/new_item.h"

#include <stdlib.h>

#include "common/store/ending.h"
#include "common/store/query.h"

struct plan_stage {
    int64_t id;
    bool is_root;
};

void merge_plan_fini(struct merge_plan *plan)
{
    free(plan->stages);
    *plan = (struct merge_plan){0};
}

/* The rows decide, not the catalog: another process may have synced the stages since it was read.
 * Under the write lock they stay as they are. */
static enum rc read_plan(const struct merge *m, struct err *err)
{
    struct merge_plan *plan = m->plan;
    if (plan->job_id == m->job->id)
        return RC_OK;
    merge_plan_fini(plan);
    QUERY q = query(m->store, Q_STAGE_PLAN);
    put_int(&q, "job_id", m->job->id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        plan->stages = xrealloc(plan->stages, (plan->len + 1) * sizeof *plan->stages);
        plan->stages[plan->len++] =
            (struct plan_stage){get_int(&q, "stage_id"), get_int(&q, "is_root") != 0};
    }
    if (rc != RC_DONE)
        return rc;
    plan->job_id = m->job->id;
    return RC_OK;
}

static int64_t priority_of(const struct merge *m, const struct add_item *item)
{
    return item->has_priority ? item->priority : m->job->spec->priority;
}

/* *ret_id: 0 when the job has an item of this key. */
static enum rc insert_item(
    const struct merge *m, const struct add_item *item, int64_t *ret_id, struct err *err)
{
    QUERY q = query(m->store, Q_ITEM_INSERT);
    put_int(&q, "job_id", m->job->id);
    put_text(&q, "item_key", item->key);
    put_text(&q, "data", item->data ? item->data : "{}");
    put_int(&q, "priority", priority_of(m, item));
    put_text(&q, "source", m->opts->source ? m->opts->source : "manual");
    put_id(&q, "parent_id", m->opts->parent_id);
    put_int(&q, "depth", m->opts->depth);
    put_int(&q, "now_ms", m->now_wall_ms);
    int64_t changes = 0;
    enum rc rc = query_write(&q, &changes, err);
    if (rc == RC_OK)
        *ret_id = changes ? m->store->driver->last_id(m->store->db) : 0;
    return rc;
}

static enum rc insert_run(const struct merge *m, int64_t item_id, const struct plan_stage *stage,
    int64_t rank, struct err *err)
{
    QUERY q = query(m->store, Q_RUN_INSERT);
    put_int(&q, "item_id", item_id);
    put_int(&q, "stage_id", stage->id);
    put_text(&q, "status", status_name(stage->is_root ? STATUS_PENDING : STATUS_BLOCKED));
    put_int(&q, "rank", rank);
    put_int(&q, "now_ms", m->now_wall_ms);
    m->report->claimable += stage->is_root;
    return query_write(&q, NULL, err);
}

enum rc new_item(
    const struct merge *m, const struct add_item *item, bool *ret_is_new, struct err *err)
{
    int64_t id = 0;
    enum rc rc = read_plan(m, err);
    if (rc == RC_OK)
        rc = insert_item(m, item, &id, err);
    *ret_is_new = id != 0;
    if (rc || !id)
        return rc;
    int64_t rank = merge_rank(m->now_wall_ms, priority_of(m, item), m->job->spec->ageing_ms);
    for (size_t i = 0; rc == RC_OK && i < m->plan->len; i++)
        rc = insert_run(m, id, &m->plan->stages[i], rank, err);
    m->report->new_items += rc == RC_OK;
    return rc;
}
