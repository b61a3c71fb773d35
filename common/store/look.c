#include "common/store/look.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/store/query.h"

#define PAGE_ROWS 200
#define PAGE_BYTES (4 * 1024 * 1024)

/* Rows are copied page by page and shown when no read is open any more: what shows them may wait
 * for a pipe, and an open read keeps the WAL from shrinking. */

enum rc look_counts(struct store *store, stage_count_fn fn, void *ctx, struct err *err)
{
    QUERY q = query(store, Q_LOOK_COUNTS);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        struct stage_count row = {
            .job_id = get_int(&q, "job_id"),
            .stage_id = get_int(&q, "stage_id"),
            .position = get_int(&q, "position"),
            .is_enabled = get_int(&q, "is_enabled") != 0,
            .is_paused = get_int(&q, "is_paused") != 0,
            .is_job_paused = get_int(&q, "is_job_paused") != 0,
            .is_on_trial = get_int(&q, "trial") > 0,
            .job = get_text(&q, "job"),
            .stage = get_text(&q, "stage"),
            .pause_reason = get_text(&q, "pause_reason"),
            .retry_after_wall_ms = get_int(&q, "retry_after"),
            .items = get_int(&q, "items"),
        };
        for (int i = 0; i < STATUS_COUNT; i++)
            row.counts[i] = get_int(&q, status_name((enum stage_status)i));
        rc = fn(ctx, &row);
        if (rc)
            return rc;
    }
    return rc == RC_DONE ? RC_OK : rc;
}

/* ---- results ---- */

struct result_page {
    struct result_row rows[PAGE_ROWS];
    size_t len, bytes;
    int64_t after_item, after_stage;
    bool is_last;
};

static char *copy(const char *text, size_t *bytes)
{
    if (!text)
        return NULL;
    char *made = xstrdup(text);
    *bytes += strlen(made);
    return made;
}

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void page_free_results(struct result_page *page)
{
    for (size_t i = 0; i < page->len; i++) {
        const struct result_row *row = &page->rows[i];
        free_text(row->key);
        free_text(row->stage);
        free_text(row->status);
        free_text(row->data);
        free_text(row->handler_version);
    }
    page->len = page->bytes = 0;
}

static enum rc read_results(struct store *store, const char *job, const char *stage,
    struct result_page *page, struct err *err)
{
    QUERY q = query(store, Q_LOOK_RESULTS);
    put_text(&q, "job", job);
    put_text(&q, "stage", stage);
    put_int(&q, "after_item_id", page->after_item);
    put_int(&q, "after_stage_id", page->after_stage);
    put_int(&q, "limit", PAGE_ROWS);
    enum rc rc = RC_ROW;
    while (
        page->len < PAGE_ROWS && page->bytes < PAGE_BYTES && (rc = query_step(&q, err)) == RC_ROW) {
        page->after_item = get_int(&q, "item_id");
        page->after_stage = get_int(&q, "stage_id");
        page->rows[page->len++] = (struct result_row){
            .item_id = page->after_item,
            .key = copy(get_text(&q, "item_key"), &page->bytes),
            .stage = copy(get_text(&q, "stage"), &page->bytes),
            .status = copy(get_text(&q, "status"), &page->bytes),
            .data = copy(get_text(&q, "data"), &page->bytes),
            .handler_version = copy(get_text(&q, "handler_version"), &page->bytes),
            .created_wall_ms = get_int(&q, "created_at"),
        };
    }
    page->is_last = rc == RC_DONE;
    return rc == RC_ROW || rc == RC_DONE ? RC_OK : rc;
}

enum rc look_results(struct store *store, const char *job, const char *stage, result_fn fn,
    void *ctx, struct err *err)
{
    CLEANUP_FREE struct result_page *page = xcalloc(1, sizeof *page);
    enum rc rc = RC_OK;
    while (rc == RC_OK && !page->is_last) {
        rc = read_results(store, job, stage, page, err);
        for (size_t i = 0; rc == RC_OK && i < page->len; i++)
            rc = fn(ctx, &page->rows[i]);
        page_free_results(page);
    }
    return rc;
}

/* ---- events ---- */

struct event_page {
    struct event_row rows[PAGE_ROWS];
    size_t len, bytes;
};

static void page_free_events(struct event_page *page)
{
    for (size_t i = 0; i < page->len; i++) {
        const struct event_row *row = &page->rows[i];
        free_text(row->event);
        free_text(row->job);
        free_text(row->stage);
        free_text(row->key);
        free_text(row->data);
    }
    page->len = page->bytes = 0;
}

static enum rc read_events(struct store *store, int64_t after, const char *event, int64_t limit,
    struct event_page *page, struct err *err)
{
    QUERY q = query(store, Q_LOOK_EVENTS);
    put_int(&q, "after_id", after);
    put_text(&q, "event", event);
    put_int(&q, "limit", limit);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        page->rows[page->len++] = (struct event_row){
            .id = get_int(&q, "id"),
            .ts_wall_ms = get_int(&q, "ts"),
            .event = copy(get_text(&q, "event"), &page->bytes),
            .job = copy(get_text(&q, "job"), &page->bytes),
            .stage = copy(get_text(&q, "stage"), &page->bytes),
            .key = copy(get_text(&q, "item_key"), &page->bytes),
            .data = copy(get_text(&q, "data"), &page->bytes),
        };
    }
    return rc == RC_DONE ? RC_OK : rc;
}

enum rc look_events(struct store *store, int64_t after, const char *event, int64_t limit,
    event_fn fn, void *ctx, struct err *err)
{
    CLEANUP_FREE struct event_page *page = xcalloc(1, sizeof *page);
    while (limit > 0) {
        int64_t wanted = limit < PAGE_ROWS ? limit : PAGE_ROWS;
        enum rc rc = read_events(store, after, event, wanted, page, err);
        int64_t got = (int64_t)page->len;
        if (got > 0)
            after = page->rows[got - 1].id;
        for (int64_t i = 0; rc == RC_OK && i < got; i++)
            rc = fn(ctx, &page->rows[i]);
        page_free_events(page);
        if (rc || got < wanted)
            return rc;
        limit -= got;
    }
    return RC_OK;
}

enum rc look_events_tail(
    struct store *store, const char *event, int64_t limit, int64_t *ret_after, struct err *err)
{
    QUERY q = query(store, event ? Q_LOOK_EVENTS_TAIL_KIND : Q_LOOK_EVENTS_TAIL);
    if (event)
        put_text(&q, "event", event);
    put_int(&q, "limit", limit);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret_after = get_int(&q, "after_id");
    return RC_OK;
}

enum rc look_claim(
    struct store *store, int64_t claim, claim_owner_fn fn, void *ctx, struct err *err)
{
    QUERY q = query(store, Q_LOOK_CLAIM);
    put_int(&q, "claim", claim);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    struct claim_owner row = {get_text(&q, "job"), get_text(&q, "stage"), get_text(&q, "item_key")};
    return fn(ctx, &row);
}

enum rc look_health(struct store *store, struct health_row *ret, struct err *err)
{
    QUERY q = query(store, Q_LOOK_HEALTH);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = (struct health_row){get_int(&q, "submitted"), get_int(&q, "newest_ts")};
    return RC_OK;
}

void look_sizes(const char *database, int64_t *ret_db_bytes, int64_t *ret_wal_bytes)
{
    CLEANUP_FREE char *wal = xasprintf("%s-wal", database);
    struct stat st;
    *ret_db_bytes = stat(database, &st) ? 0 : (int64_t)st.st_size;
    *ret_wal_bytes = stat(wal, &st) ? 0 : (int64_t)st.st_size;
}
