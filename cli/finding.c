#include "cli/finding.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define PAGE_EVENTS 1000

struct reading {
    struct overview *view;
    int64_t rows, last_id;
};

/* The job that an event of @discover is about; NULL: of something else, or not known. */
static struct job_view *found_for(struct reading *r, const struct event_row *row)
{
    r->rows++;
    r->last_id = row->id;
    if (!row->job || !row->key || strcmp(row->job, DISCOVER_JOB) != 0)
        return NULL;
    for (size_t i = 0; i < r->view->len; i++)
        if (strcmp(r->view->jobs[i].name, row->key) == 0)
            return &r->view->jobs[i];
    return NULL;
}

/* The event of an attempt after which no other comes. */
static bool is_final(const json_t *event)
{
    const char *next = json_string_value(json_object_get(event, "next"));
    return next && (strcmp(next, status_name(STATUS_FAILED)) == 0 ||
                       strcmp(next, status_name(STATUS_EXHAUSTED)) == 0);
}

static enum rc on_failed(void *ctx, const struct event_row *row)
{
    struct job_view *job = found_for(ctx, row);
    json_t *event = job && row->data ? json_loads(row->data, 0, NULL) : NULL;
    if (is_final(event)) {
        const char *why = json_string_value(json_object_get(event, "why"));
        job->failed_finding = row->id;
        free(job->finding_why);
        job->finding_why = why ? xstrdup(why) : NULL;
    }
    json_decref(event);
    return RC_OK;
}

static enum rc on_reopened(void *ctx, const struct event_row *row)
{
    struct job_view *job = found_for(ctx, row);
    if (job && job->failed_finding < row->id)
        job->failed_finding = 0;
    return RC_OK;
}

static int64_t count_named(const struct overview *o)
{
    int64_t n = 0;
    for (size_t i = 0; i < o->len; i++)
        n += o->jobs[i].failed_finding > 0;
    return n;
}

static enum rc read_reopened(
    struct store *store, struct overview *o, int64_t after, struct err *err)
{
    struct reading r = {.view = o, .last_id = after};
    enum rc rc;
    do {
        r.rows = 0;
        rc = look_events(store, r.last_id, "item.reopened", PAGE_EVENTS, on_reopened, &r, err);
    } while (!rc && r.rows == PAGE_EVENTS);
    return rc;
}

/* Mostly the first page is enough: what cannot be found fails soon after a start. */
static enum rc read_failed(struct store *store, struct overview *o, int64_t after, struct err *err)
{
    struct reading r = {.view = o, .last_id = after};
    bool is_last = false;
    while (!is_last && count_named(o) < o->failed_discoveries) {
        r.rows = 0;
        enum rc rc =
            look_events(store, r.last_id, "attempt.failed", PAGE_EVENTS, on_failed, &r, err);
        is_last = r.rows < PAGE_EVENTS;
        if (!rc && (is_last || count_named(o) >= o->failed_discoveries))
            rc = read_reopened(store, o, after, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

enum rc finding_failed(struct store *store, struct overview *o, struct err *err)
{
    int64_t start = 0;
    if (!store || o->failed_discoveries == 0)
        return RC_OK;
    enum rc rc = look_events_tail(store, "run_start", 1, &start, err);
    return rc ? rc : read_failed(store, o, start, err);
}
