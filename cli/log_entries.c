#include "cli/log_entries.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/store/look_item.h"
#include "common/store/select.h"

static void entry_fini(struct log_entry *entry)
{
    free(entry->job);
    free(entry->stage);
    free(entry->key);
    json_decref(entry->data);
}

void log_entries_fini(struct log_entries *entries)
{
    for (size_t i = 0; i < entries->len; i++)
        entry_fini(&entries->list[i]);
    free(entries->list);
    *entries = (struct log_entries){.list = NULL};
}

static int by_id(const void *a, const void *b)
{
    const struct log_entry *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* All but the newest go. */
static void prune(struct log_entries *entries, size_t limit)
{
    if (entries->len > 0)
        qsort(entries->list, entries->len, sizeof(*entries->list), by_id);
    if (entries->len <= limit)
        return;
    size_t gone = entries->len - limit;
    for (size_t i = 0; i < gone; i++)
        entry_fini(&entries->list[i]);
    memmove(entries->list, entries->list + gone, limit * sizeof(*entries->list));
    entries->len = limit;
}

static void add(
    struct log_entries *entries, const struct run_row *row, const struct item_event *event)
{
    if (entries->len == entries->cap) {
        entries->cap = entries->cap ? entries->cap * 2 : 64;
        entries->list = xrealloc(entries->list, entries->cap * sizeof(*entries->list));
    }
    entries->list[entries->len++] = (struct log_entry){
        .id = event->id,
        .ts_wall_ms = event->ts_wall_ms,
        .job = xstrdup(row->s.job),
        .stage = xstrdup(row->s.stage),
        .key = xstrdup(row->s.key),
        .data = json_loads(event->data, 0, NULL),
    };
}

static bool is_wanted(const struct run_row *row, const struct item_event *event)
{
    return strncmp(event->event, "attempt.", strlen("attempt.")) == 0 && event->stage &&
           strcmp(event->stage, row->s.stage) == 0;
}

static enum rc add_run(
    struct log_entries *entries, struct store *store, const struct run_row *row, struct err *err)
{
    struct item_events events CLEANUP(item_events_fini) = {NULL, 0};
    enum rc rc = look_item_events(store, row->item_id, &events, err);
    for (size_t i = 0; i < events.len; i++)
        if (is_wanted(row, &events.list[i]))
            add(entries, row, &events.list[i]);
    return rc;
}

/* What was claimed never has left no event. */
static bool may_have_said(const struct run_row *row)
{
    return row->started_wall_ms > 0;
}

enum rc log_entries_take(struct log_entries *ret, struct store *store, const struct filter *filter,
    int64_t limit, struct err *err)
{
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct run_row row;
    enum rc rc = selection_open(store, filter, UINT32_MAX, &sel, err);
    while (rc == RC_OK && (rc = selection_next(sel, &row, err)) == RC_ROW) {
        rc = may_have_said(&row) ? add_run(ret, store, &row, err) : RC_OK;
        if (ret->len / 2 >= (size_t)limit)
            prune(ret, (size_t)limit);
    }
    prune(ret, (size_t)limit);
    return rc == RC_DONE ? RC_OK : rc;
}

bool log_entries_have_claim(const struct log_entries *entries, const char *claim)
{
    for (size_t i = 0; i < entries->len; i++) {
        const char *own = json_string_value(json_object_get(entries->list[i].data, "claim"));
        if (own && strcmp(own, claim) == 0)
            return true;
    }
    return false;
}
