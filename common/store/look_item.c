#include "common/store/look_item.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/store/query.h"

#define PAGE_ROWS 200

static char *copy(const struct query_run *q, const char *column)
{
    const char *text = get_text(q, column);
    return text ? xstrdup(text) : NULL;
}

/* ---- the item ---- */

enum rc look_item(
    struct store *store, const char *job, const char *key, struct item_head *ret, struct err *err)
{
    QUERY q = query(store, Q_LOOK_ITEM);
    put_text(&q, "job", job);
    put_text(&q, "item_key", key);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = (struct item_head){
        .id = get_int(&q, "id"),
        .data = copy(&q, "data"),
        .source = copy(&q, "source"),
        .status = copy(&q, "derived_status"),
        .parent_job = copy(&q, "parent_job"),
        .parent_key = copy(&q, "parent_key"),
        .priority = get_int(&q, "priority"),
        .depth = get_int(&q, "depth"),
        .added_wall_ms = get_int(&q, "created_at"),
        .changed_wall_ms = get_int(&q, "updated_at"),
    };
    return RC_OK;
}

void item_head_fini(struct item_head *head)
{
    free(head->data);
    free(head->source);
    free(head->status);
    free(head->parent_job);
    free(head->parent_key);
    *head = (struct item_head){0};
}

/* ---- what happened ---- */

static enum rc read_events(struct store *store, int64_t item_id, struct item_events *events,
    size_t *ret_rows, struct err *err)
{
    QUERY q = query(store, Q_LOOK_ITEM_EVENTS);
    put_int(&q, "item_id", item_id);
    put_int(&q, "after_id", events->len ? events->list[events->len - 1].id : 0);
    put_int(&q, "limit", PAGE_ROWS);
    enum rc rc;
    for (*ret_rows = 0; (rc = query_step(&q, err)) == RC_ROW; (*ret_rows)++) {
        events->list = xrealloc(events->list, (events->len + 1) * sizeof *events->list);
        events->list[events->len++] = (struct item_event){
            .id = get_int(&q, "id"),
            .ts_wall_ms = get_int(&q, "ts"),
            .event = copy(&q, "event"),
            .stage = copy(&q, "stage"),
            .data = copy(&q, "data"),
        };
    }
    return rc == RC_DONE ? RC_OK : rc;
}

static int64_t life_of(const char *data)
{
    const char *at;
    size_t len;
    return json_member(data, "life", &at, &len) ? strtoll(at, NULL, 10) : 0;
}

/* It was written in the same transaction, with the same time. */
static enum rc read_death(struct store *store, struct item_event *event, struct err *err)
{
    int64_t life = life_of(event->data);
    if (strcmp(event->event, "attempt.interrupted") != 0 || life == 0)
        return RC_OK;
    QUERY q = query(store, Q_LOOK_DEATH);
    put_int(&q, "ts", event->ts_wall_ms);
    put_int(&q, "life", life);
    enum rc rc = query_one(&q, err);
    if (rc == RC_ROW)
        event->death = copy(&q, "data");
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc look_item_events(
    struct store *store, int64_t item_id, struct item_events *ret, struct err *err)
{
    struct item_events events = {NULL, 0};
    size_t rows = PAGE_ROWS;
    enum rc rc = RC_OK;
    while (rc == RC_OK && rows == PAGE_ROWS)
        rc = read_events(store, item_id, &events, &rows, err);
    for (size_t i = 0; rc == RC_OK && i < events.len; i++)
        rc = read_death(store, &events.list[i], err);
    if (rc == RC_OK)
        *ret = events;
    else
        item_events_fini(&events);
    return rc;
}

void item_events_fini(struct item_events *events)
{
    for (size_t i = 0; i < events->len; i++) {
        free(events->list[i].event);
        free(events->list[i].stage);
        free(events->list[i].data);
        free(events->list[i].death);
    }
    free(events->list);
    *events = (struct item_events){NULL, 0};
}

/* ---- results ---- */

enum rc look_item_results(
    struct store *store, int64_t item_id, struct item_results *ret, struct err *err)
{
    struct item_results results = {NULL, 0};
    enum rc rc;
    QUERY q = query(store, Q_LOOK_ITEM_RESULTS);
    put_int(&q, "item_id", item_id);
    while ((rc = query_step(&q, err)) == RC_ROW) {
        results.list = xrealloc(results.list, (results.len + 1) * sizeof *results.list);
        results.list[results.len++] = (struct item_result){
            .stage = copy(&q, "stage"),
            .data = copy(&q, "data"),
            .version = copy(&q, "handler_version"),
            .is_superseded = get_int(&q, "superseded") != 0,
            .created_wall_ms = get_int(&q, "created_at"),
        };
    }
    if (rc == RC_DONE)
        *ret = results;
    else
        item_results_fini(&results);
    return rc == RC_DONE ? RC_OK : rc;
}

void item_results_fini(struct item_results *results)
{
    for (size_t i = 0; i < results->len; i++) {
        free(results->list[i].stage);
        free(results->list[i].data);
        free(results->list[i].version);
    }
    free(results->list);
    *results = (struct item_results){NULL, 0};
}

/* ---- notes ---- */

enum rc look_item_notes(
    struct store *store, int64_t item_id, item_note_fn fn, void *ctx, struct err *err)
{
    QUERY q = query(store, Q_LOOK_ITEM_NOTES);
    put_int(&q, "item_id", item_id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW)
        fn(ctx, get_text(&q, "stage"), get_text(&q, "progress"), get_text(&q, "checkpoint"));
    return rc == RC_DONE ? RC_OK : rc;
}

/* ---- a further attempt ---- */

enum rc look_next_attempt(struct store *store, int64_t item_id, const char *stage,
    int64_t *ret_attempts, char **ret_checkpoint, struct err *err)
{
    QUERY q = query(store, Q_LOOK_NEXT_ATTEMPT);
    put_int(&q, "item_id", item_id);
    put_text(&q, "stage", stage);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret_attempts = get_int(&q, "attempts");
    *ret_checkpoint = copy(&q, "checkpoint");
    return RC_OK;
}
