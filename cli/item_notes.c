#include "cli/item_notes.h"

#include <jansson.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

static void add_counts(struct buf *out, const char *progress)
{
    static const char *const names[] = {"done", "failed", "total"};
    json_t *counts = progress ? json_loads(progress, 0, NULL) : NULL;
    const char *sign = "progress ";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *count = json_object_get(counts, names[i]);
        char text[32];
        if (!json_is_integer(count))
            continue;
        buf_addf(out, "%s%s %s", sign, text_count(json_integer_value(count), text, sizeof(text)),
            names[i]);
        sign = ", ";
    }
    json_decref(counts);
}

void item_notes_add_run(struct buf *out, const struct run_view *run)
{
    struct buf said CLEANUP(buf_fini) = BUF_INIT;
    add_counts(&said, run->progress);
    if (run->snoozes > 0)
        buf_addf(&said, "%ssnoozed %lld time%s", said.len > 0 ? "; " : "", (long long)run->snoozes,
            run->snoozes == 1 ? "" : "s");
    if (run->checkpoint)
        buf_addf(&said, "%scheckpoint %s", said.len > 0 ? "; " : "", run->checkpoint);
    if (said.len > 0)
        buf_addf(out, "%s: %s", run->stage, buf_str(&said));
}

void item_notes_add_costs(struct buf *out, const struct item_events *events)
{
    double usd = 0;
    int64_t tokens = 0, count = 0;
    char text[32];
    for (size_t i = 0; i < events->len; i++) {
        if (strcmp(events->list[i].event, "cost") != 0)
            continue;
        json_t *data = json_loads(events->list[i].data, 0, NULL);
        usd += json_number_value(json_object_get(data, "cost_usd"));
        tokens += json_integer_value(json_object_get(data, "tokens"));
        count++;
        json_decref(data);
    }
    if (count == 0)
        return;
    buf_addf(out, "cost: %.6g usd, %s tokens", usd, text_count(tokens, text, sizeof(text)));
    buf_addf(out, " (said %lld time%s)", (long long)count, count == 1 ? "" : "s");
}
