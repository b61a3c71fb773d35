#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/filtering.h"
#include "cli/item_history.h"
#include "cli/item_notes.h"
#include "cli/item_view.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/store/catalog_sync.h"
#include "common/store/ending.h"

#define DATA_SHOWN 400 /* columns, where there is no terminal */
#define STDERR_LINES 12
#define DEATHS_SHOWN 3
#define HANDLERS_SHOWN 5

static const struct table_column run_columns[] = {
    {"STAGE", false}, {"STATUS", false}, {"ATTEMPTS", false}, {"CHANGED", false}, {"WHY", false}};
static const struct table_column history_columns[] = {{"WHEN", false}, {"STAGE", false},
    {"#", true}, {"RAN", true}, {"WORKER", false}, {"WHAT", false}};

struct writing {
    const struct cli *cli;
    const struct item_view *view;
    int64_t now_wall_ms;
    struct buf *out;
};

/* A line that begins with a word and has a text that may be long. */
static void add_cut(struct writing *w, const char *lead, const char *text)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    size_t room = w->cli->width > 0 ? w->cli->width : DATA_SHOWN;
    text_add_printable(&shown, text, strlen(text));
    room = room > text_width(lead) + 20 ? room - text_width(lead) : 20;
    char *cut CLEANUP_FREE = text_cut(buf_str(&shown), room);
    buf_addf(w->out, "%s%s\n", lead, cut);
}

static void add_head(struct writing *w)
{
    const struct item_head *head = &w->view->head;
    char age[32], time[40];
    buf_addf(w->out, "%s  ", w->view->job);
    text_add_printable(w->out, w->view->key, strlen(w->view->key));
    buf_adds(w->out, "  ");
    enum tone tone = strcmp(head->status, "done") == 0        ? TONE_GOOD
                     : strcmp(head->status, "failed") == 0    ? TONE_BAD
                     : strcmp(head->status, "cancelled") == 0 ? TONE_WARN
                                                              : TONE_NONE;
    tone_add(w->out, tone, w->cli->has_color, head->status);
    buf_addf(w->out, "\n  added %s ago (%s) by %s, priority %lld",
        show_age(head->added_wall_ms, w->now_wall_ms, age, sizeof(age)),
        clock_format_wall(head->added_wall_ms, time, sizeof(time)), head->source,
        (long long)head->priority);
    if (head->parent_key) {
        buf_addf(w->out, ", found by %s ", head->parent_job);
        text_add_printable(w->out, head->parent_key, strlen(head->parent_key));
        buf_addf(w->out, " (depth %lld)", (long long)head->depth);
    }
    buf_addc(w->out, '\n');
    if (strcmp(head->data, "{}") != 0)
        add_cut(w, "  data  ", head->data);
    buf_addc(w->out, '\n');
}

/* ---- stages ---- */

/* What a blocked run waits for: stages come one after the other. */
static const char *find_blocker(const struct item_view *view, size_t i)
{
    while (i-- > 0)
        if (view->runs[i].status != STATUS_DONE && view->runs[i].status != STATUS_SKIPPED)
            return view->runs[i].stage;
    return NULL;
}

static void add_why(struct writing *w, size_t i, struct buf *out)
{
    const struct run_view *run = &w->view->runs[i];
    const char *blocker = run->status == STATUS_BLOCKED ? find_blocker(w->view, i) : NULL;
    char time[32];
    if (!run->is_enabled && run->error && strcmp(run->error, STAGE_GONE) == 0) {
        buf_adds(out, STAGE_GONE);
        return; /* once is enough */
    }
    if (blocker)
        buf_addf(out, "waits for %s", blocker);
    else if (run->status == STATUS_IN_PROGRESS)
        buf_addf(out, "runs for %s%s",
            show_age(run->started_wall_ms, w->now_wall_ms, time, sizeof(time)),
            w->cli->presence == POOL_ABSENT ? ", but no pool is there: the next one gives it back"
                                            : "");
    else if (run->status == STATUS_RETRY_LATER && run->next_attempt_wall_ms > w->now_wall_ms)
        buf_addf(out, "again in %s%s",
            show_age(w->now_wall_ms, run->next_attempt_wall_ms, time, sizeof(time)),
            run->error ? ": " : "");
    if (run->error && run->status != STATUS_IN_PROGRESS)
        buf_adds(out, run->error);
    if (!run->is_enabled)
        buf_addf(out, "%snot in the configuration any more", out->len > 0 ? "; " : "");
}

static void add_runs(struct writing *w)
{
    struct table table;
    table_init(&table, run_columns, sizeof(run_columns) / sizeof(run_columns[0]), w->cli->width,
        w->cli->has_color);
    for (size_t i = 0; i < w->view->runs_len; i++) {
        const struct run_view *run = &w->view->runs[i];
        struct buf why CLEANUP(buf_fini) = BUF_INIT;
        char attempts[64], age[32], changed[48];
        int n = snprintf(attempts, sizeof(attempts), "%lld", (long long)run->attempts);
        if (run->max_attempts > 0 && n > 0)
            (void)snprintf(attempts + n, sizeof(attempts) - (size_t)n, " of %lld",
                (long long)run->max_attempts);
        (void)snprintf(changed, sizeof(changed), "%s ago",
            show_age(run->changed_wall_ms, w->now_wall_ms, age, sizeof(age)));
        add_why(w, i, &why);
        table_add(&table, run->stage, TONE_NONE);
        table_add(&table, status_name(run->status), status_tone(run->status));
        table_add(&table, attempts, TONE_NONE);
        table_add(&table, changed, TONE_FAINT);
        table_add(&table, why.len > 0 ? buf_str(&why) : NULL, TONE_NONE);
        if (table_is_full(&table))
            table_flush(&table, w->out);
    }
    table_flush(&table, w->out);
    table_fini(&table);
}

/* What handlers have said: a line for a stage run, and one for what was spent. */
static void add_notes(struct writing *w)
{
    size_t shown = 0;
    for (size_t i = 0; i <= w->view->runs_len; i++) {
        struct buf line CLEANUP(buf_fini) = BUF_INIT;
        if (i < w->view->runs_len)
            item_notes_add_run(&line, &w->view->runs[i]);
        else
            item_notes_add_costs(&line, &w->view->events);
        if (line.len > 0)
            add_cut(w, shown++ ? "" : "\n", buf_str(&line));
    }
}

/* ---- history ---- */

static void add_history(struct writing *w)
{
    struct history history CLEANUP(history_fini) = HISTORY_INIT;
    struct table table;
    char time[40];
    history_take(w->view, w->now_wall_ms, &history);
    if (history.len == 0)
        return;
    buf_addc(w->out, '\n');
    table_init(&table, history_columns, sizeof(history_columns) / sizeof(history_columns[0]),
        w->cli->width, w->cli->has_color);
    for (size_t i = 0; i < history.len; i++) {
        const struct history_line *line = &history.list[i];
        table_add(&table, clock_format_wall(line->when_wall_ms, time, sizeof(time)), TONE_FAINT);
        table_add(&table, line->stage, TONE_NONE);
        table_add(&table, line->number[0] ? line->number : NULL, TONE_NONE);
        table_add(&table, line->ran[0] ? line->ran : NULL, TONE_NONE);
        table_add(&table, line->worker[0] ? line->worker : NULL, TONE_NONE);
        table_add(&table, line->what, line->tone);
        if (table_is_full(&table))
            table_flush(&table, w->out);
    }
    table_flush(&table, w->out);
    table_fini(&table);
}

/* The newest certificates of handlers: an attempt each. */
static void add_handlers(struct writing *w)
{
    size_t left = 0, shown = 0;
    for (size_t i = 0; i < w->view->events.len; i++)
        left += history_is_of_handler(&w->view->events.list[i]);
    for (size_t i = 0; i < w->view->events.len; i++) {
        struct buf line CLEANUP(buf_fini) = BUF_INIT;
        const struct item_event *event = &w->view->events.list[i];
        if (!history_is_of_handler(event) || left-- > HANDLERS_SHOWN)
            continue;
        history_add_handler(&line, event);
        buf_adds(w->out, shown++ ? "" : "\n");
        text_add_printable(w->out, line.data, line.len);
        buf_addc(w->out, '\n');
    }
}

/* The newest ones. */
static void add_deaths(struct writing *w)
{
    size_t left = 0, shown = 0;
    for (size_t i = 0; i < w->view->events.len; i++)
        left += w->view->events.list[i].death != NULL;
    for (size_t i = 0; i < w->view->events.len; i++) {
        struct buf line CLEANUP(buf_fini) = BUF_INIT;
        if (!w->view->events.list[i].death || left-- > DEATHS_SHOWN)
            continue;
        history_add_death(&line, w->view->events.list[i].death);
        buf_adds(w->out, shown++ ? "" : "\n");
        text_add_printable(w->out, line.data, line.len);
        buf_addc(w->out, '\n');
    }
}

static const char *last_lines(const char *text, size_t lines)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        len--;
    while (len > 0 && (text[len - 1] != '\n' || --lines > 0))
        len--;
    return text + len;
}

static void add_output(struct writing *w, const struct item_event *event, const json_t *data,
    const char *member, const char *name)
{
    const char *text = json_string_value(json_object_get(data, member));
    if (!text)
        return;
    buf_addf(w->out, "\nstandard %s of %s, attempt %lld:\n", name,
        event->stage ? event->stage : "?",
        (long long)json_integer_value(json_object_get(data, "attempt")));
    for (text = last_lines(text, STDERR_LINES); *text;) {
        size_t len = strcspn(text, "\n");
        buf_adds(w->out, "    ");
        text_add_printable(w->out, text, len);
        buf_addc(w->out, '\n');
        text += len + (text[len] == '\n');
    }
}

/* What the newest attempt that said something said last. */
static void add_outputs(struct writing *w)
{
    for (size_t i = w->view->events.len; i-- > 0;) {
        const struct item_event *event = &w->view->events.list[i];
        json_t *data = json_loads(event->data, 0, NULL);
        bool has_text = json_object_get(data, "stderr") || json_object_get(data, "stdout");
        add_output(w, event, data, "stderr", "error");
        add_output(w, event, data, "stdout", "output");
        json_decref(data);
        if (has_text) {
            buf_adds(w->out, "of every attempt, and as it comes (-f):  stint logs ");
            filtering_add_item(w->out, w->view->job, w->view->key);
            buf_addc(w->out, '\n');
            return;
        }
    }
}

/* ---- results, and what next ---- */

static void add_results(struct writing *w)
{
    for (size_t i = 0; i < w->view->results.len; i++) {
        const struct item_result *result = &w->view->results.list[i];
        struct buf lead CLEANUP(buf_fini) = BUF_INIT;
        buf_addf(&lead, "%sresult of %s", i ? "" : "\n", result->stage);
        if (result->version) {
            buf_adds(&lead, " by version ");
            text_add_printable(&lead, result->version, strlen(result->version));
        }
        buf_adds(&lead, result->is_superseded ? " (no longer valid):  " : ":  ");
        add_cut(w, buf_str(&lead), result->data);
    }
}

static void add_next(struct writing *w)
{
    uint32_t has = 0;
    for (size_t i = 0; i < w->view->runs_len; i++)
        has |= 1u << w->view->runs[i].status;
    if (has & (1u << STATUS_FAILED | 1u << STATUS_EXHAUSTED | 1u << STATUS_CANCELLED)) {
        buf_adds(w->out, "\ntry it again:  stint retry ");
        filtering_add_item(w->out, w->view->job, w->view->key);
        buf_addc(w->out, '\n');
    } else if (has & (1u << STATUS_PENDING | 1u << STATUS_RETRY_LATER | 1u << STATUS_IN_PROGRESS)) {
        if (w->cli->presence == POOL_ABSENT)
            buf_adds(w->out, "\nno pool is running:  stint run\n");
    }
}

void item_view_text(const struct cli *cli, const struct item_view *view, struct buf *out)
{
    struct writing w = {cli, view, clock_wall_ms(), out};
    add_head(&w);
    add_runs(&w);
    add_notes(&w);
    add_history(&w);
    add_deaths(&w);
    add_handlers(&w);
    add_outputs(&w);
    add_results(&w);
    add_next(&w);
}
