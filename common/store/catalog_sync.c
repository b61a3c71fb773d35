#include "common/store/catalog_sync.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/query.h"

void stage_rows_fini(struct stage_rows *rows)
{
    for (size_t i = 0; i < rows->len; i++) {
        free(rows->list[i].name);
        free(rows->list[i].version);
    }
    free(rows->list);
    *rows = (struct stage_rows){0};
}

enum rc stage_rows_read(
    struct store *store, int64_t job_id, struct stage_rows *ret, struct err *err)
{
    QUERY q = query(store, Q_STAGE_LIST);
    put_int(&q, "job_id", job_id);
    struct stage_rows rows = {0};
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        rows.list = xrealloc(rows.list, (rows.len + 1) * sizeof *rows.list);
        const char *version = get_text(&q, "handler_version");
        rows.list[rows.len++] = (struct stage_row){
            .id = get_int(&q, "id"),
            .position = get_int(&q, "position"),
            .name = xstrdup(get_text(&q, "name")),
            .version = xstrdup(version ? version : ""),
            .is_enabled = get_int(&q, "enabled") != 0,
        };
    }
    if (rc != RC_DONE) {
        stage_rows_fini(&rows);
        return rc;
    }
    *ret = rows;
    return RC_OK;
}

static const struct stage_row *row_of(const struct stage_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->len; i++) {
        if (strcmp(rows->list[i].name, name) == 0)
            return &rows->list[i];
    }
    return NULL;
}

/* 0 when there is no such row. */
static int64_t id_of(const struct stage_rows *rows, const char *name)
{
    const struct stage_row *row = row_of(rows, name);
    return row ? row->id : 0;
}

static bool stages_are_same(const struct stage_rows *rows, const struct job_spec *spec)
{
    size_t enabled = 0;
    for (size_t i = 0; i < rows->len; i++)
        enabled += rows->list[i].is_enabled;
    if (enabled != spec->stages_len)
        return false;
    for (size_t i = 0; i < spec->stages_len; i++) {
        const struct stage_row *row = row_of(rows, spec->stages[i].name);
        if (!row || !row->is_enabled || row->position != (int64_t)i ||
            strcmp(row->version, spec->stages[i].version) != 0)
            return false;
    }
    return true;
}

/* Each edge must join a stage to the one before it, and there must be as many as in a chain. */
static enum rc edges_are_same(struct store *store, int64_t job_id, const struct stage_rows *rows,
    const struct job_spec *spec, bool *ret)
{
    QUERY q = query(store, Q_EDGE_LIST);
    put_int(&q, "job_id", job_id);
    size_t found = 0;
    enum rc rc;
    while ((rc = query_step(&q, NULL)) == RC_ROW) {
        bool is_in_chain = false;
        for (size_t i = 1; i < spec->stages_len && !is_in_chain; i++)
            is_in_chain = id_of(rows, spec->stages[i].name) == get_int(&q, "stage_id") &&
                          id_of(rows, spec->stages[i - 1].name) == get_int(&q, "after_stage_id");
        if (!is_in_chain)
            found = SIZE_MAX / 2;
        found++;
    }
    *ret = found + 1 == spec->stages_len;
    return rc == RC_DONE ? RC_OK : rc;
}

enum rc job_compare(struct store *store, int64_t job_id, const struct job_spec *spec,
    bool *ret_is_same, struct err *err)
{
    CLEANUP(stage_rows_fini) struct stage_rows rows = {0};
    enum rc rc = stage_rows_read(store, job_id, &rows, err);
    if (rc)
        return rc;
    *ret_is_same = false;
    if (!stages_are_same(&rows, spec))
        return RC_OK;
    rc = edges_are_same(store, job_id, &rows, spec, ret_is_same);
    return rc ? err_set(err, rc, "database %s: cannot read stage_edges", store->path) : RC_OK;
}

/* What is under way for one job. */
struct sync {
    struct store *store;
    int64_t job_id;
    const struct job_spec *spec;
    int64_t now_wall_ms;
};

/* One of the statements that change runs of a whole stage. */
static enum rc change_lane(const struct sync *s, enum query id, int64_t stage_id, struct err *err)
{
    QUERY q = query(s->store, id);
    if (id != Q_LANE_BLOCK)
        put_int(&q, "job_id", s->job_id);
    put_int(&q, "stage_id", stage_id);
    if (id == Q_STAGE_CLOSE || id == Q_STAGE_REOPEN)
        put_text(&q, "why", STAGE_GONE);
    put_int(&q, "now_ms", s->now_wall_ms);
    return query_write(&q, NULL, err);
}

static enum rc delete_edges(const struct sync *s, int64_t stage_id, struct err *err)
{
    QUERY q = query(s->store, Q_EDGE_DELETE);
    put_int(&q, "stage_id", stage_id);
    return query_write(&q, NULL, err);
}

static enum rc insert_edge(
    const struct sync *s, int64_t stage_id, int64_t after_id, struct err *err)
{
    QUERY q = query(s->store, Q_EDGE_INSERT);
    put_int(&q, "stage_id", stage_id);
    put_int(&q, "after_stage_id", after_id);
    return query_write(&q, NULL, err);
}

static enum rc update_stage(const struct sync *s, const struct stage_row *row, struct err *err)
{
    QUERY q = query(s->store, Q_STAGE_UPDATE);
    put_int(&q, "id", row->id);
    put_int(&q, "position", row->position);
    put_text(&q, "handler_version", row->version[0] ? row->version : NULL);
    put_int(&q, "enabled", row->is_enabled);
    return query_write(&q, NULL, err);
}

static enum rc insert_stage(const struct sync *s, size_t at, struct err *err)
{
    const struct stage_spec *spec = &s->spec->stages[at];
    QUERY q = query(s->store, Q_STAGE_INSERT);
    put_int(&q, "job_id", s->job_id);
    put_text(&q, "name", spec->name);
    put_int(&q, "position", (int64_t)at);
    put_text(&q, "handler_version", spec->version[0] ? spec->version : NULL);
    return query_write(&q, NULL, err);
}

static enum rc close_stage(const struct sync *s, const struct stage_row *row, struct err *err)
{
    struct stage_row closed = *row;
    closed.is_enabled = false;
    enum rc rc = update_stage(s, &closed, err);
    if (rc == RC_OK)
        rc = delete_edges(s, row->id, err);
    return rc ? rc : change_lane(s, Q_STAGE_CLOSE, row->id, err);
}

/* The row of one stage of the configuration; runs that come back are blocked at first. */
static enum rc open_stage(
    const struct sync *s, const struct stage_rows *before, size_t at, struct err *err)
{
    const struct stage_row *row = row_of(before, s->spec->stages[at].name);
    if (!row)
        return insert_stage(s, at, err);
    struct stage_row opened = *row; /* borrows its texts */
    opened.position = (int64_t)at;
    opened.version = s->spec->stages[at].version;
    opened.is_enabled = true;
    enum rc rc = update_stage(s, &opened, err);
    if (rc == RC_OK && !row->is_enabled)
        rc = change_lane(s, Q_STAGE_REOPEN, row->id, err);
    return rc;
}

/* The edges of a chain, and rows of each stage for the items that are there. */
static enum rc link_stages(const struct sync *s, const struct stage_rows *rows, struct err *err)
{
    int64_t before_id = 0;
    for (size_t i = 0; i < s->spec->stages_len; i++) {
        int64_t id = id_of(rows, s->spec->stages[i].name);
        enum rc rc = delete_edges(s, id, err);
        if (rc == RC_OK && before_id)
            rc = insert_edge(s, id, before_id, err);
        if (rc == RC_OK)
            rc = change_lane(s, Q_STAGE_BACKFILL, id, err);
        if (rc)
            return rc;
        before_id = id;
    }
    return RC_OK;
}

/* Every run that waits is as its predecessors say. */
static enum rc settle_lanes(const struct sync *s, const struct stage_rows *rows, struct err *err)
{
    for (size_t i = 0; i < s->spec->stages_len; i++) {
        int64_t id = id_of(rows, s->spec->stages[i].name);
        enum rc rc = change_lane(s, Q_LANE_BLOCK, id, err);
        if (rc == RC_OK)
            rc = change_lane(s, Q_LANE_UNBLOCK, id, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

enum rc job_sync(struct store *store, int64_t job_id, const struct job_spec *spec,
    int64_t now_wall_ms, struct err *err)
{
    const struct sync s = {store, job_id, spec, now_wall_ms};
    CLEANUP(stage_rows_fini) struct stage_rows before = {0};
    CLEANUP(stage_rows_fini) struct stage_rows after = {0};
    enum rc rc = stage_rows_read(store, job_id, &before, err);
    for (size_t i = 0; rc == RC_OK && i < before.len; i++) {
        if (before.list[i].is_enabled && !job_stage(spec, before.list[i].name))
            rc = close_stage(&s, &before.list[i], err);
    }
    for (size_t i = 0; rc == RC_OK && i < spec->stages_len; i++)
        rc = open_stage(&s, &before, i, err);
    if (rc == RC_OK)
        rc = stage_rows_read(store, job_id, &after, err);
    if (rc == RC_OK)
        rc = link_stages(&s, &after, err);
    if (rc == RC_OK)
        rc = settle_lanes(&s, &after, err);
    return rc;
}
