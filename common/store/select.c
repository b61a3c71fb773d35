#include "common/store/select.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/store/ending.h"
#include "common/store/look.h"
#include "common/store/query.h"
#include "common/store/select_lane.h"

struct selection {
    struct store *store;
    const struct filter *filter;
    int64_t now_wall_ms;
    uint32_t statuses; /* bits */
    bool is_about_hidden;
    struct select_stage *stages;
    size_t stages_len;
    struct lanes lanes;

    struct lane_page page;
    size_t page_at;
    char *key, *error, *source; /* of the row that was given last */
};

/* ---- which stages ---- */

static bool names_hidden(const struct filter *filter)
{
    for (size_t i = 0; i < filter->len; i++) {
        const struct filter_term *t = &filter->terms[i];
        for (size_t k = 0; t->field == FILTER_JOB && !t->is_negated && k < t->values_len; k++)
            if (t->values[k].text[0] == '@')
                return true;
    }
    return false;
}

static enum rc on_stage(void *ctx, const struct stage_count *row)
{
    struct selection *sel = ctx;
    if ((row->job[0] == '@' && !sel->is_about_hidden) ||
        !filter_allows_text(sel->filter, FILTER_JOB, row->job) ||
        !filter_allows_text(sel->filter, FILTER_STAGE, row->stage))
        return RC_OK;
    sel->stages = xrealloc(sel->stages, (sel->stages_len + 1) * sizeof *sel->stages);
    struct select_stage *stage = &sel->stages[sel->stages_len++];
    *stage = (struct select_stage){
        .job_id = row->job_id,
        .stage_id = row->stage_id,
        .job = xstrdup(row->job),
        .stage = xstrdup(row->stage),
        .is_enabled = row->is_enabled,
    };
    memcpy(stage->counts, row->counts, sizeof stage->counts);
    return RC_OK;
}

static struct select_stage *find_stage(const struct selection *sel, int64_t stage_id)
{
    for (size_t i = 0; i < sel->stages_len; i++)
        if (sel->stages[i].stage_id == stage_id)
            return &sel->stages[i];
    return NULL;
}

/* ---- rows ---- */

static void take_text(char **place, const char *text)
{
    free(*place);
    *place = text ? xstrdup(text) : NULL;
}

static bool read_columns(
    struct selection *sel, const struct query_run *q, int64_t id, struct run_row *row)
{
    enum stage_status status;
    struct select_stage *stage = find_stage(sel, get_int(q, "stage_id"));
    if (!stage || !status_parse(get_text(q, "status"), &status))
        return false;
    take_text(&sel->key, get_text(q, "item_key"));
    take_text(&sel->error, get_text(q, "error"));
    take_text(&sel->source, get_text(q, "source"));
    *row = (struct run_row){
        .id = id,
        .item_id = get_int(q, "item_id"),
        .stage = stage,
        .s = {.job = stage->job,
            .stage = stage->stage,
            .key = sel->key,
            .error = sel->error,
            .source = sel->source,
            .status = status,
            .attempts = get_int(q, "attempts"),
            .interruptions = get_int(q, "interruptions"),
            .priority = get_int(q, "priority"),
            .added_wall_ms = get_int(q, "added_at"),
            .changed_wall_ms = get_int(q, "changed_at")},
        .snoozes = get_int(q, "snoozes"),
        .claim = get_int(q, "claim"),
        .next_attempt_wall_ms = get_int(q, "next_attempt_at"),
        .started_wall_ms = get_int(q, "started_at"),
        .ended_wall_ms = get_int(q, "ended_at"),
        .elapsed_ms = get_is_null(q, "elapsed_ms") ? -1 : get_int(q, "elapsed_ms"),
    };
    return true;
}

static enum rc read_item_status(struct selection *sel, struct run_row *row, struct err *err)
{
#define NAME(upper, lower) #lower,
    static const char *const names[] = {ITEM_STATUSES(NAME)};
#undef NAME
    if (!filter_has(sel->filter, FILTER_ITEM))
        return RC_OK;
    QUERY q = query(sel->store, Q_SELECT_ITEM_STATUS);
    put_int(&q, "item_id", row->item_id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    for (int i = 0; i < ITEM_STATUS_COUNT; i++)
        if (strcmp(names[i], get_text(&q, "derived_status")) == 0)
            row->s.item = (enum item_status)i;
    return RC_OK;
}

enum rc selection_again(
    struct selection *sel, int64_t id, bool is_lax, struct run_row *ret, struct err *err)
{
    struct run_row row;
    {
        QUERY q = query(sel->store, Q_SELECT_RUN);
        put_int(&q, "id", id);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW)
            return rc;
        if (!read_columns(sel, &q, id, &row))
            return RC_NOTFOUND;
    }
    if (!(sel->statuses >> row.s.status & 1u))
        return RC_NOTFOUND;
    enum rc rc = is_lax ? RC_OK : read_item_status(sel, &row, err);
    if (rc)
        return rc;
    if (!is_lax && !filter_matches(sel->filter, &row.s, sel->now_wall_ms))
        return RC_NOTFOUND;
    *ret = row;
    return RC_OK;
}

enum rc selection_next(struct selection *sel, struct run_row *ret, struct err *err)
{
    for (;;) {
        while (sel->page_at < sel->page.len) {
            enum rc rc = selection_again(sel, sel->page.ids[sel->page_at++], false, ret, err);
            if (rc != RC_NOTFOUND)
                return rc == RC_OK ? RC_ROW : rc;
        }
        sel->page_at = 0;
        enum rc rc = lanes_next(&sel->lanes, &sel->page, err);
        if (rc)
            return rc; /* RC_DONE too */
    }
}

void selection_put_back(struct selection *sel)
{
    if (sel->page_at > 0)
        sel->page_at--;
}

/* ---- the walk ---- */

enum rc selection_open(struct store *store, const struct filter *filter, uint32_t statuses,
    struct selection **ret, struct err *err)
{
    struct selection *sel = xcalloc(1, sizeof *sel);
    sel->store = store;
    sel->filter = filter;
    sel->now_wall_ms = clock_wall_ms();
    sel->statuses = filter_statuses(filter) & statuses;
    sel->is_about_hidden = names_hidden(filter);
    enum rc rc = look_counts(store, on_stage, sel, err);
    if (rc == RC_OK)
        rc = lanes_plan(&sel->lanes, store, filter,
            &(struct lane_scope){sel->stages, sel->stages_len, sel->statuses}, err);
    if (rc == RC_OK)
        *ret = sel;
    else
        selection_close(sel);
    return rc;
}

void selection_close(struct selection *sel)
{
    if (!sel)
        return;
    for (size_t i = 0; i < sel->stages_len; i++) {
        free(sel->stages[i].job);
        free(sel->stages[i].stage);
    }
    free(sel->stages);
    free(sel->key);
    free(sel->error);
    free(sel->source);
    free(sel->page.ids);
    lanes_fini(&sel->lanes);
    free(sel);
}

struct select_stage *selection_stages(struct selection *sel, size_t *ret_len)
{
    *ret_len = sel->stages_len;
    return sel->stages;
}

static bool is_known(const struct selection *sel)
{
    for (size_t i = 0; i < sel->filter->len; i++) {
        enum filter_field field = sel->filter->terms[i].field;
        if (field != FILTER_JOB && field != FILTER_STAGE && field != FILTER_STATUS)
            return false;
    }
    return true;
}

int64_t selection_stage_count(
    const struct selection *sel, const struct select_stage *stage, enum stage_status only)
{
    int64_t n = 0;
    if (!is_known(sel))
        return -1;
    for (int status = 0; status < STATUS_COUNT; status++)
        if ((sel->statuses >> status & 1u) && (only == STATUS_COUNT || (int)only == status))
            n += stage->counts[status];
    return n;
}

int64_t selection_known_count(const struct selection *sel)
{
    int64_t n = 0;
    if (!is_known(sel))
        return -1;
    for (size_t i = 0; i < sel->stages_len; i++)
        n += selection_stage_count(sel, &sel->stages[i], STATUS_COUNT);
    return n;
}
