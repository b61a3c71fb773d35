#include "common/store/select_lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/ending.h"
#include "common/store/query.h"

#define SCAN_IDS 20000 /* of one statement: a few milliseconds */
#define PAGE_ROWS 200
#define PAGE_ITEMS 50

#define HAS(bits, status) (((bits) >> STATUS_##status & 1u) != 0)

/* Those with an index of their own; of the others there are always many. */
#define INDEXED                                                                                    \
    (1u << STATUS_PENDING | 1u << STATUS_IN_PROGRESS | 1u << STATUS_RETRY_LATER |                  \
        1u << STATUS_HELD | 1u << STATUS_FAILED | 1u << STATUS_EXHAUSTED | 1u << STATUS_CANCELLED)

/* ---- the plan ---- */

static void add_lane(struct lanes *l, struct lane lane)
{
    l->list = xrealloc(l->list, (l->len + 1) * sizeof *l->list);
    l->list[l->len++] = lane;
}

static bool is_new_job(const struct lane_scope *scope, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (scope->stages[k].job_id == scope->stages[i].job_id)
            return false;
    return true;
}

static const struct filter_term *key_term(const struct filter *filter)
{
    for (size_t i = 0; i < filter->len; i++) {
        const struct filter_term *t = &filter->terms[i];
        if (t->field == FILTER_KEY && t->op == FILTER_IS && !t->is_negated)
            return t;
    }
    return NULL;
}

static void plan_keys(
    struct lanes *l, const struct filter_term *keys, const struct lane_scope *scope)
{
    for (size_t i = 0; i < scope->stages_len; i++)
        for (size_t k = 0; is_new_job(scope, i) && k < keys->values_len; k++)
            add_lane(l, (struct lane){.kind = LANE_KEY,
                            .job_id = scope->stages[i].job_id,
                            .key = keys->values[k].text});
}

/* Only where the counts say that there is something. */
static void plan_statuses(struct lanes *l, const struct lane_scope *scope)
{
    static const enum stage_status of_a_stage[] = {
        STATUS_FAILED, STATUS_EXHAUSTED, STATUS_CANCELLED, STATUS_HELD, STATUS_PENDING};
    if (HAS(scope->statuses, IN_PROGRESS))
        add_lane(l, (struct lane){.kind = LANE_STATUS, .status = STATUS_IN_PROGRESS});
    if (HAS(scope->statuses, RETRY_LATER))
        add_lane(l, (struct lane){.kind = LANE_STATUS, .status = STATUS_RETRY_LATER});
    for (size_t i = 0; i < scope->stages_len; i++) {
        for (size_t k = 0; k < sizeof of_a_stage / sizeof of_a_stage[0]; k++) {
            enum stage_status status = of_a_stage[k];
            if ((scope->statuses >> status & 1u) && scope->stages[i].counts[status] > 0)
                add_lane(l, (struct lane){.kind = LANE_STATUS,
                                .status = status,
                                .stage_id = scope->stages[i].stage_id});
        }
    }
}

static void plan_jobs(struct lanes *l, const struct lane_scope *scope)
{
    for (size_t i = 0; i < scope->stages_len; i++)
        if (is_new_job(scope, i))
            add_lane(l, (struct lane){.kind = LANE_JOB, .job_id = scope->stages[i].job_id});
}

static enum rc plan_scan(struct lanes *l, const struct lane_scope *scope, struct err *err)
{
    size_t n = 0;
    add_lane(l, (struct lane){.kind = LANE_SCAN,
                    .stage_id = scope->stages_len == 1 ? scope->stages[0].stage_id : 0});
    for (int status = 0; status < STATUS_COUNT; status++)
        if (scope->statuses >> status & 1u)
            n += (size_t)snprintf(l->statuses + n, sizeof l->statuses - n, "%s%s|", n ? "" : "|",
                status_name((enum stage_status)status));
    QUERY q = query(l->store, Q_SELECT_LAST);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    l->last_id = get_int(&q, "id");
    return RC_OK;
}

static int64_t count(const struct lane_scope *scope)
{
    int64_t n = 0;
    for (size_t i = 0; i < scope->stages_len; i++)
        for (int status = 0; status < STATUS_COUNT; status++)
            if (scope->statuses >> status & 1u)
                n += scope->stages[i].counts[status];
    return n;
}

enum rc lanes_plan(struct lanes *lanes, struct store *store, const struct filter *filter,
    const struct lane_scope *scope, struct err *err)
{
    const struct filter_term *keys = key_term(filter);
    *lanes = (struct lanes){.store = store};
    if (count(scope) == 0)
        return RC_OK; /* no such run */
    if (keys)
        plan_keys(lanes, keys, scope);
    else if (filter_has(filter, FILTER_ITEM))
        plan_jobs(lanes, scope); /* what is decided for an item needs its runs together */
    else if ((scope->statuses & ~INDEXED) == 0)
        plan_statuses(lanes, scope);
    else if (filter_has(filter, FILTER_JOB))
        plan_jobs(lanes, scope);
    else
        return plan_scan(lanes, scope, err);
    return RC_OK;
}

void lanes_fini(struct lanes *lanes)
{
    free(lanes->list);
    free(lanes->after_key);
    *lanes = (struct lanes){.list = NULL};
}

/* ---- the walk ---- */

static void page_add(struct lane_page *page, int64_t id)
{
    if (page->len == page->cap) {
        page->cap = page->cap ? 2 * page->cap : PAGE_ROWS;
        page->ids = xrealloc(page->ids, page->cap * sizeof *page->ids);
    }
    page->ids[page->len++] = id;
}

static void leave_lane(struct lanes *l)
{
    l->at++;
    l->is_begun = false;
    free(l->after_key);
    l->after_key = NULL;
}

static enum rc take_item(struct lanes *l, int64_t item_id, struct lane_page *page, struct err *err)
{
    QUERY q = query(l->store, Q_SELECT_ITEM);
    put_int(&q, "item_id", item_id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW)
        page_add(page, get_int(&q, "id"));
    return rc == RC_DONE ? RC_OK : rc;
}

static enum rc next_key(
    struct lanes *l, const struct lane *lane, struct lane_page *page, struct err *err)
{
    int64_t item_id;
    leave_lane(l);
    {
        QUERY q = query(l->store, Q_SELECT_KEY);
        put_int(&q, "job_id", lane->job_id);
        put_text(&q, "item_key", lane->key);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW)
            return rc == RC_NOTFOUND ? RC_OK : rc;
        item_id = get_int(&q, "id");
    }
    return take_item(l, item_id, page, err);
}

/* Whole items. */
static enum rc next_items(
    struct lanes *l, const struct lane *lane, struct lane_page *page, struct err *err)
{
    int64_t items[PAGE_ITEMS];
    size_t len = 0;
    {
        QUERY q = query(l->store, Q_ITEM_KEYS);
        put_int(&q, "job_id", lane->job_id);
        put_text(&q, "after_key", l->is_begun ? l->after_key : "");
        put_int(&q, "limit", PAGE_ITEMS);
        enum rc rc;
        while ((rc = query_step(&q, err)) == RC_ROW && len < PAGE_ITEMS) {
            items[len++] = get_int(&q, "id");
            free(l->after_key);
            l->after_key = xstrdup(get_text(&q, "item_key"));
        }
        if (rc != RC_ROW && rc != RC_DONE)
            return rc;
    }
    l->is_begun = true;
    for (size_t i = 0; i < len; i++) {
        enum rc rc = take_item(l, items[i], page, err);
        if (rc)
            return rc;
    }
    if (len < PAGE_ITEMS)
        leave_lane(l);
    return RC_OK;
}

static enum rc next_scan(
    struct lanes *l, const struct lane *lane, struct lane_page *page, struct err *err)
{
    int64_t from = l->is_begun ? l->after_id : 0, until = from + SCAN_IDS;
    QUERY q = query(l->store, Q_SELECT_SCAN);
    put_int(&q, "after_id", from);
    put_int(&q, "until_id", until);
    put_text(&q, "statuses", l->statuses);
    put_id(&q, "stage_id", lane->stage_id);
    put_int(&q, "limit", PAGE_ROWS);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW)
        page_add(page, get_int(&q, "id"));
    if (rc != RC_DONE)
        return rc;
    l->is_begun = true;
    l->after_id = page->len == PAGE_ROWS ? page->ids[page->len - 1] : until;
    if (l->after_id >= l->last_id)
        leave_lane(l);
    return RC_OK;
}

static enum query query_of(enum stage_status status)
{
    static const enum query of[STATUS_COUNT] = {
        [STATUS_FAILED] = Q_SELECT_FAILED,
        [STATUS_EXHAUSTED] = Q_SELECT_EXHAUSTED,
        [STATUS_CANCELLED] = Q_SELECT_CANCELLED,
        [STATUS_HELD] = Q_SELECT_HELD,
        [STATUS_PENDING] = Q_SELECT_PENDING,
        [STATUS_RETRY_LATER] = Q_SELECT_RETRY_LATER,
        [STATUS_IN_PROGRESS] = Q_SELECT_IN_PROGRESS,
    };
    return of[status];
}

static void bind_place(struct lanes *l, const struct lane *lane, struct query_run *q)
{
    int64_t place = l->is_begun ? l->after_place : INT64_MIN;
    if (lane->status == STATUS_IN_PROGRESS) {
        put_int(q, "after_claim", place);
        return;
    }
    put_int(q, "after_id", l->is_begun ? l->after_id : 0);
    if (lane->status == STATUS_RETRY_LATER)
        put_int(q, "after_due", place);
    else
        put_int(q, "stage_id", lane->stage_id);
    if (lane->status == STATUS_PENDING)
        put_int(q, "after_rank", place);
}

static enum rc next_status(
    struct lanes *l, const struct lane *lane, struct lane_page *page, struct err *err)
{
    bool has_place = lane->status == STATUS_PENDING || lane->status == STATUS_RETRY_LATER ||
                     lane->status == STATUS_IN_PROGRESS;
    QUERY q = query(l->store, query_of(lane->status));
    bind_place(l, lane, &q);
    put_int(&q, "limit", PAGE_ROWS);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        l->after_id = get_int(&q, "id");
        l->after_place = has_place ? get_int(&q, "place") : 0;
        page_add(page, l->after_id);
    }
    if (rc != RC_DONE)
        return rc;
    l->is_begun = true;
    if (page->len < PAGE_ROWS)
        leave_lane(l);
    return RC_OK;
}

enum rc lanes_next(struct lanes *lanes, struct lane_page *page, struct err *err)
{
    page->len = 0;
    if (lanes->at == lanes->len)
        return RC_DONE;
    const struct lane lane = lanes->list[lanes->at];
    switch (lane.kind) {
    case LANE_KEY:
        return next_key(lanes, &lane, page, err);
    case LANE_STATUS:
        return next_status(lanes, &lane, page, err);
    case LANE_JOB:
        return next_items(lanes, &lane, page, err);
    case LANE_SCAN:
        return next_scan(lanes, &lane, page, err);
    }
    return RC_BUG;
}
