#include "cli/run_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/finding.h"
#include "cli/gone.h"
#include "cli/loop.h"
#include "cli/notes.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/store/look.h"

/* Until the database of a new pool is there it is looked for this often. */
#define OPEN_GAP_NS (50 * NS_PER_MS)
#define TIDY_TIMEOUT_MS 100

static void close_store(struct run_show *s)
{
    store_close(s->cli->store);
    s->cli->store = NULL;
    follow_close(&s->follow);
}

/* True when there is a database of our version to look at. */
static bool open_store(struct run_show *s)
{
    struct store_options opts = {.path = s->cli->config->pool.database,
        .durability = s->cli->config->pool.durability,
        .is_read_only = true};
    if (s->cli->store)
        return true;
    if (store_open(&opts, &s->cli->store, NULL)) {
        s->cli->store = NULL;
        return false;
    }
    if (store_check_schema(s->cli->store, NULL) || follow_open(&s->follow, opts.path, NULL)) {
        close_store(s);
        return false;
    }
    return true;
}

static enum rc on_newest(void *ctx, const struct event_row *row)
{
    *(int64_t *)ctx = row->id;
    return RC_OK;
}

static void find_newest(struct run_show *s)
{
    int64_t before = 0;
    if (look_events_tail(s->cli->store, NULL, 1, &before, NULL) ||
        look_events(s->cli->store, before, NULL, 1, on_newest, &s->seen_event, NULL))
        s->seen_event = before;
}

void run_show_init(struct run_show *s, struct cli *cli)
{
    *s = (struct run_show){
        .cli = cli, .follow = FOLLOW_INIT, .is_drain = args_has(cli->args, "drain")};
    s->started_mono_ns = clock_mono_ns();
    progress_init(&s->progress, cli->is_terminal, cli->is_quiet || cli->is_json, cli->err_width);
    if (open_store(s))
        find_newest(s);
}

/* The pool would have taken the log away with it, but for us who were looking. */
static void remove_log(const struct run_show *s)
{
    struct store_options opts = {.path = s->cli->config->pool.database,
        .durability = s->cli->config->pool.durability,
        .is_old = true,
        .busy_timeout_ms = TIDY_TIMEOUT_MS};
    struct store *store = NULL;
    if (store_open(&opts, &store, NULL))
        return;
    store_tidy(store);
    store_close(store);
}

void run_show_fini(struct run_show *s)
{
    bool has_looked = s->cli->store != NULL;
    progress_fini(&s->progress);
    buf_fini(&s->paused_said);
    close_store(s);
    if (has_looked && s->has_ended)
        remove_log(s);
}

static bool is_silent(const struct run_show *s)
{
    return s->progress.is_quiet || s->is_stopping;
}

int run_show_fd(const struct run_show *s)
{
    return is_silent(s) || !s->cli->store ? -1 : follow_fd(&s->follow);
}

int64_t run_show_due_ns(const struct run_show *s)
{
    if (is_silent(s))
        return LOOP_NEVER;
    if (!s->cli->store)
        return s->tried_mono_ns + OPEN_GAP_NS;
    int64_t due = follow_due_ns(&s->follow), drawing = progress_due_ns(&s->progress);
    /* Once it has started there is only the line to draw, and that is no more often wanted. */
    return due != LOOP_NEVER && s->has_started && drawing > due ? drawing : due;
}

static void sum_items(const struct overview *view, int64_t *ret_done, int64_t *ret_items)
{
    *ret_done = *ret_items = 0;
    for (size_t i = 0; i < view->len; i++) {
        *ret_done += view->jobs[i].done_items;
        *ret_items += view->jobs[i].items;
    }
}

/* The run_start event of the pool that was started. */
struct start {
    bool is_seen;
    int64_t requeued;
};

static enum rc on_start(void *ctx, const struct event_row *row)
{
    struct start *start = ctx;
    json_t *data = row->data ? json_loads(row->data, 0, NULL) : NULL;
    start->is_seen = true;
    start->requeued = json_integer_value(json_object_get(data, "requeued"));
    json_decref(data);
    return RC_OK;
}

static void say_started(struct run_show *s, const struct overview *view)
{
    struct start start = {false, 0};
    char n[3][32];
    int64_t done, items;
    if (look_events(s->cli->store, s->seen_event, "run_start", 1, on_start, &start, NULL))
        return;
    if (!start.is_seen)
        return;
    s->has_started = true;
    sum_items(view, &done, &items);
    if (start.requeued > 0)
        cli_say(s->cli, "%s %s in flight, back in the queue; %s of %s done",
            text_count(start.requeued, n[0], sizeof(n[0])), start.requeued == 1 ? "was" : "were",
            text_count(done, n[1], sizeof(n[1])), text_count(items, n[2], sizeof(n[2])));
    if (s->cli->is_terminal && !s->is_drain)
        cli_say(s->cli, "the pool runs. Look at it from another terminal: stint status; stop it: "
                        "Ctrl-C");
}

/* Which stages are paused and why: once, and again when that changes. */
static void say_paused(struct run_show *s, const struct overview *view)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    notes_add_paused(&text, view, NULL, 0);
    if (strcmp(buf_str(&text), buf_str(&s->paused_said)) == 0)
        return;
    progress_clear(&s->progress);
    if (!s->cli->is_quiet)
        (void)sys_write_all(STDERR_FILENO, text.data, text.len);
    buf_reset(&s->paused_said);
    buf_add(&s->paused_said, text.data, text.len);
}

void run_show_look(struct run_show *s)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    s->tried_mono_ns = clock_mono_ns();
    if (!open_store(s))
        return;
    follow_looked(&s->follow, s->tried_mono_ns);
    if (overview_take(s->cli->store, s->cli->config, &view, NULL))
        return;
    if (!s->has_started)
        say_started(s, &view);
    if (s->has_started && clock_mono_ns() >= progress_due_ns(&s->progress))
        progress_draw(&s->progress, &view, NULL, clock_mono_ns());
    if (s->has_started)
        say_paused(s, &view);
}

void run_show_stopping(struct run_show *s)
{
    progress_clear(&s->progress);
    if (!s->is_stopping && s->cli->is_terminal)
        cli_say(s->cli, "stopping: what runs is finished first (again: at once)");
    s->is_stopping = true;
}

static void say_job(struct run_show *s, const struct job_view *job, const char *time)
{
    char n[4][32], exhausted[64] = "";
    if (job->counts[STATUS_EXHAUSTED] > 0)
        (void)snprintf(exhausted, sizeof(exhausted), " (%s exhausted)",
            text_count(job->counts[STATUS_EXHAUSTED], n[3], sizeof(n[3])));
    cli_say(s->cli, "%s: %s done, %s failed%s, %s skipped, in %s", job->name,
        text_count(job->done_items, n[0], sizeof(n[0])),
        text_count(job_failed(job), n[1], sizeof(n[1])), exhausted,
        text_count(job->counts[STATUS_SKIPPED], n[2], sizeof(n[2])), time);
}

static void write_json(struct run_show *s, const struct overview *view, int status)
{
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    json_init(&j, &out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.run/1");
    json_bool(&j, "drained", s->is_drain && status <= 1);
    json_num(&j, "seconds", (double)(clock_mono_ns() - s->started_mono_ns) / (double)NS_PER_S);
    json_open_array(&j, "jobs");
    for (size_t i = 0; i < view->len; i++) {
        const struct job_view *job = &view->jobs[i];
        json_open_object(&j, NULL);
        json_str(&j, "name", job->name);
        json_int(&j, "items", job->items);
        json_int(&j, "done_items", job->done_items);
        for (int k = 0; k < STATUS_COUNT; k++)
            json_int(&j, status_name((enum stage_status)k), job->counts[k]);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(&out, '\n');
    cli_print(&out);
}

static void say_next(struct run_show *s, const struct overview *view)
{
    bool has_failures = false, has_results = false;
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    for (size_t i = 0; i < view->len; i++) {
        has_failures = has_failures || job_failed(&view->jobs[i]) > 0;
        has_results = has_results || view->jobs[i].done_items > 0;
    }
    if (notes_add_failed_finding(&text, view, NULL))
        cli_say(s->cli, "%s", buf_str(&text));
    if (has_failures)
        cli_say(s->cli, "what failed:  stint ls status:failed,exhausted");
    else if (view->failed_discoveries > 0)
        cli_say(s->cli, "what failed:  stint events --event attempt.failed");
    if (has_results)
        cli_say(
            s->cli, "the results:  stint results %s", view->len == 1 ? view->jobs[0].name : "JOB");
}

static void say_drained(struct run_show *s, const struct overview *view)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    char time[32];
    int64_t ms = (clock_mono_ns() - s->started_mono_ns) / NS_PER_MS;
    (void)text_duration(ms >= 10000 ? ms - ms % 1000 : ms, time, sizeof(time));
    for (size_t i = 0; i < view->len; i++)
        say_job(s, &view->jobs[i], time);
    buf_reset(&s->paused_said);
    say_paused(s, view);
    if (gone_add_note(&text, view))
        cli_say(s->cli, "%s", buf_str(&text));
    say_next(s, view);
}

static void say_stopped(struct run_show *s, const struct overview *view)
{
    char n[2][32];
    int64_t done, items;
    sum_items(view, &done, &items);
    cli_say(s->cli, "stopped: %s of %s done. Go on with: stint run",
        text_count(done, n[0], sizeof(n[0])), text_count(items, n[1], sizeof(n[1])));
}

void run_show_end(struct run_show *s, int status)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    progress_clear(&s->progress);
    /* Another pool's busy, a bad configuration: stintd has said it. */
    if (status > CLI_FAILED)
        return;
    s->has_ended = true;
    if (!open_store(s) || overview_take(s->cli->store, s->cli->config, &view, NULL) ||
        finding_failed(s->cli->store, &view, NULL))
        return;
    if (s->cli->is_json)
        write_json(s, &view, status);
    else if (s->is_drain && !s->is_stopping)
        say_drained(s, &view);
    else
        say_stopped(s, &view);
}
