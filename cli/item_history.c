#include "cli/item_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/store/ending.h"

static const char *text_of(const json_t *data, const char *member)
{
    const char *text = json_string_value(json_object_get(data, member));
    return text ? text : "";
}

static int64_t number_of(const json_t *data, const char *member)
{
    return json_integer_value(json_object_get(data, member));
}

static struct history_line *add_line(struct history *h, int64_t when_wall_ms, const char *stage)
{
    h->list = xrealloc(h->list, (h->len + 1) * sizeof(*h->list));
    struct history_line *line = &h->list[h->len];
    *line = (struct history_line){
        .when_wall_ms = when_wall_ms, .order = (int64_t)h->len, .stage = stage};
    h->len++;
    return line;
}

/* ---- events ---- */

/* "exit 75: HTTP 429"; the reason often is how it ended, told in words. */
static char *describe_end(const json_t *data, const char *reason)
{
    struct buf out = BUF_INIT;
    const char *how = text_of(data, "how"), *why = text_of(data, reason);
    const char *next = text_of(data, "next");
    bool has_both = how[0] && why[0] && !strstr(why, how);
    buf_addf(&out, "%s%s%s", has_both ? how : "", has_both ? ": " : "", why[0] ? why : how);
    if (next[0])
        buf_addf(&out, " → %s", next);
    return buf_take(&out);
}

static void add_ran(struct history_line *line, const json_t *data)
{
    const json_t *elapsed = json_object_get(data, "elapsed_s");
    if (json_is_number(elapsed))
        (void)text_duration(
            (int64_t)(json_number_value(elapsed) * 1000 + 0.5), line->ran, sizeof(line->ran));
}

static void add_attempt(struct history *h, const struct item_event *event, const json_t *data)
{
    bool is_failed = strcmp(event->event, "attempt.failed") == 0;
    int64_t started = show_parse_time(text_of(data, "started_at"));
    struct history_line *line =
        add_line(h, started > 0 ? started : event->ts_wall_ms, event->stage);
    (void)snprintf(
        line->number, sizeof(line->number), "%lld", (long long)number_of(data, "attempt"));
    add_ran(line, data);
    json_t *death = event->death ? json_loads(event->death, 0, NULL) : NULL;
    const json_t *worker = death ? death : data;
    if (number_of(worker, "pid") > 0)
        (void)snprintf(line->worker, sizeof(line->worker), "w%lld/%lld",
            (long long)number_of(worker, "slot"), (long long)number_of(worker, "pid"));
    json_decref(death);
    line->what = describe_end(data, is_failed ? "why" : "cause");
    line->tone = is_failed ? TONE_BAD : TONE_WARN;
}

/* NULL: nothing that the stage runs do not say. */
static char *describe_act(const struct item_event *event, const json_t *data)
{
    if (strcmp(event->event, "run.retried") == 0)
        return xasprintf("retried by user %lld; it was %s", (long long)number_of(data, "uid"),
            text_of(data, "from"));
    if (strcmp(event->event, "run.cancelled") == 0)
        return xasprintf("cancelled by user %lld; it was %s", (long long)number_of(data, "uid"),
            text_of(data, "from"));
    if (strcmp(event->event, "item.reopened") == 0)
        return xasprintf("added again and reopened: %s", text_of(data, "why"));
    if (strcmp(event->event, "claim.lost") == 0)
        return xasprintf(
            "an outcome (%s) came when the claim was gone: dropped", text_of(data, "cause"));
    if (strcmp(event->event, "resource.held") == 0)
        return xasprintf("met the limit of resource %s: held until %s", text_of(data, "resource"),
            text_of(data, "retry_after"));
    if (strcmp(event->event, "item.exhausted") == 0 || strcmp(event->event, "cost") == 0)
        return NULL; /* the attempt, and the sum, say it */
    return xstrdup(event->event);
}

static void add_event(struct history *h, const struct item_event *event)
{
    json_t *data = json_loads(event->data, 0, NULL);
    if (strncmp(event->event, "attempt.", strlen("attempt.")) == 0) {
        add_attempt(h, event, data);
    } else {
        char *what = describe_act(event, data);
        struct history_line *line = what ? add_line(h, event->ts_wall_ms, event->stage) : NULL;
        if (line) {
            line->what = what;
            add_ran(line, data);
        }
    }
    json_decref(data);
}

/* ---- stage runs ---- */

static void add_run(struct history *h, const struct run_view *run, int64_t now_wall_ms)
{
    bool is_over = run->status == STATUS_DONE || run->status == STATUS_SKIPPED;
    if (run->started_wall_ms == 0 || run->claim == 0 ||
        (!is_over && run->status != STATUS_IN_PROGRESS))
        return;
    struct history_line *line = add_line(h, run->started_wall_ms, run->stage);
    int64_t ran = is_over ? run->elapsed_ms : now_wall_ms - run->started_wall_ms;
    (void)snprintf(line->number, sizeof(line->number), "%lld", (long long)run->attempts);
    if (ran >= 0)
        (void)text_duration(ran, line->ran, sizeof(line->ran));
    if (run->pid > 0)
        (void)snprintf(line->worker, sizeof(line->worker), "w%lld/%lld", (long long)run->slot,
            (long long)run->pid);
    line->tone = run->status == STATUS_DONE ? TONE_GOOD : TONE_NONE;
    line->what = is_over ? xasprintf("%s%s%s", status_name(run->status), run->error ? ": " : "",
                               run->error ? run->error : "")
                         : xstrdup("runs now");
}

static int compare(const void *a, const void *b)
{
    const struct history_line *x = a, *y = b;
    if (x->when_wall_ms != y->when_wall_ms)
        return x->when_wall_ms < y->when_wall_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void history_take(const struct item_view *view, int64_t now_wall_ms, struct history *ret)
{
    for (size_t i = 0; i < view->events.len; i++)
        add_event(ret, &view->events.list[i]);
    for (size_t i = 0; i < view->runs_len; i++)
        add_run(ret, &view->runs[i], now_wall_ms);
    if (ret->len > 0)
        qsort(ret->list, ret->len, sizeof(*ret->list), compare);
}

void history_fini(struct history *history)
{
    for (size_t i = 0; i < history->len; i++)
        free(history->list[i].what);
    free(history->list);
    *history = (struct history)HISTORY_INIT;
}

bool history_is_of_handler(const struct item_event *event)
{
    return strncmp(event->event, "attempt.", strlen("attempt.")) == 0 &&
           strstr(event->data, "\"handler\":");
}

static void add_signal(struct buf *out, const json_t *d)
{
    int signum = (int)number_of(d, "signal");
    const char *name = sigabbrev_np(signum);
    if (json_is_integer(json_object_get(d, "signal")))
        buf_addf(out, "signal %d (SIG%s)", signum, name ? name : "?");
    else
        buf_addf(out, "exit %lld", (long long)number_of(d, "exit"));
}

static void add_used(struct buf *out, const json_t *d)
{
    char user[32], sys[32], size[32];
    buf_addf(out, "; used %s + %s of processor, at most %s",
        text_duration((int64_t)(json_number_value(json_object_get(d, "user_s")) * 1000 + 0.5), user,
            sizeof(user)),
        text_duration((int64_t)(json_number_value(json_object_get(d, "system_s")) * 1000 + 0.5),
            sys, sizeof(sys)),
        text_size(number_of(d, "max_rss_kib") * 1024, size, sizeof(size)));
}

static void add_progress(struct buf *out, const json_t *progress)
{
    static const char *const names[] = {"done", "failed", "total"};
    const char *sign = "; last progress: ";
    for (size_t i = 0; i < 3; i++) {
        if (!json_is_integer(json_object_get(progress, names[i])))
            continue;
        buf_addf(out, "%s%lld %s", sign, (long long)number_of(progress, names[i]), names[i]);
        sign = ", ";
    }
}

void history_add_handler(struct buf *out, const struct item_event *event)
{
    json_t *data = json_loads(event->data, 0, NULL);
    const json_t *d = json_object_get(data, "handler");
    buf_addf(out, "handler of %s, attempt %lld, pid %lld: ", event->stage ? event->stage : "?",
        (long long)number_of(data, "attempt"), (long long)number_of(d, "pid"));
    add_signal(out, d);
    if (json_is_true(json_object_get(d, "oom")))
        buf_adds(out, "; OUT OF MEMORY, proven");
    add_used(out, d);
    add_progress(out, json_object_get(d, "progress"));
    json_decref(data);
}

void history_add_death(struct buf *out, const char *certificate)
{
    char lived[32], beat[32], user[32], sys[32], size[32];
    json_t *d = json_loads(certificate, 0, NULL);
    buf_addf(out, "worker w%lld/%lld, life %lld: %s", (long long)number_of(d, "slot"),
        (long long)number_of(d, "pid"), (long long)number_of(d, "life"), text_of(d, "verdict"));
    buf_adds(out, ", ");
    add_signal(out, d);
    if (text_of(d, "reason")[0])
        buf_addf(out, " (%s)", text_of(d, "reason"));
    buf_addf(out, "; %s; lived %s, used %s + %s of processor, at most %s; last beat %s before",
        json_is_true(json_object_get(d, "oom")) ? "OUT OF MEMORY, proven" : "no proof of OOM",
        text_duration(number_of(d, "lived_ms"), lived, sizeof(lived)),
        text_duration(number_of(d, "user_us") / 1000, user, sizeof(user)),
        text_duration(number_of(d, "system_us") / 1000, sys, sizeof(sys)),
        text_size(number_of(d, "max_rss_kib") * 1024, size, sizeof(size)),
        text_duration(number_of(d, "last_beat_age_ms"), beat, sizeof(beat)));
    json_decref(d);
}
