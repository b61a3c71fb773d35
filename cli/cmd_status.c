/* status: how far everything is, with or without a pool. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/finding.h"
#include "cli/notes.h"
#include "cli/overview.h"
#include "cli/paced.h"
#include "cli/pool.h"
#include "cli/reload_show.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/store/look.h"

static const struct table_column job_columns[] = {{"JOB", false}, {"FOUND", true}, {"READY", true},
    {"RUN", true}, {"RETRY", true}, {"FAILED", true}, {"DONE", true}, {"STATE", false}};
static const struct table_column stage_columns[] = {{"STAGE", false}, {"BLOCKED", true},
    {"READY", true}, {"RUN", true}, {"RETRY", true}, {"FAILED", true}, {"DONE", true},
    {"STATE", false}};
#define COLUMNS 8

/* OK, or what is not: a program outside the pool may hold it up at the database's write lock. */
static void add_health(struct cli *cli, struct buf *out)
{
    const char *state = pool_text(cli, "state");
    const json_t *holder = json_object_get(cli->pool, "lock_holder");
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    char since[32];
    if (cli->presence == POOL_ABSENT) {
        tone_add(out, TONE_WARN, cli->has_color, "no pool is running");
    } else if (cli->presence == POOL_SILENT) {
        tone_add(out, TONE_BAD, cli->has_color, "the pool does not answer");
    } else if (holder) {
        const char *program = json_string_value(json_object_get(holder, "program"));
        int64_t for_ms = json_integer_value(json_object_get(holder, "for_ms"));
        buf_adds(&text, "waits for ");
        text_add_printable(&text, program ? program : "?", strlen(program ? program : "?"));
        buf_addf(&text, " (pid %" PRId64 "), which holds the database's write lock, for %s",
            (int64_t)json_integer_value(json_object_get(holder, "pid")),
            text_duration(for_ms, since, sizeof(since)));
        tone_add(out, TONE_BAD, cli->has_color, buf_str(&text));
    } else if (state && strcmp(state, "running") != 0) {
        buf_adds(&text, state);
        if (strcmp(state, "suspended") == 0)
            buf_addf(&text, "; to go on: kill -CONT %" PRId64, pool_number(cli, "pid", 0));
        tone_add(out, TONE_WARN, cli->has_color, buf_str(&text));
    } else if (reload_is_refused(cli)) {
        tone_add(out, TONE_WARN, cli->has_color, "runs, but a reload is refused");
    } else {
        tone_add(out, TONE_GOOD, cli->has_color, "OK");
    }
    buf_addc(out, '\n');
}

/* "stint 0.1.0  up 3d 4h  pid 812  8/8 workers  db 412 MB (wal 3 MB)  OK" */
static void add_header(struct cli *cli, struct buf *out)
{
    char text[64], wal[32];
    int64_t db_bytes, wal_bytes;
    look_sizes(cli->config->pool.database, &db_bytes, &wal_bytes);
    if (cli->presence == POOL_RUNNING) {
        int64_t since = show_parse_time(pool_text(cli, "started_at"));
        const char *version = pool_text(cli, "version");
        buf_addf(out, "stint %s", version ? version : STINT_VERSION);
        if (since >= 0)
            buf_addf(out, "  up %s", show_age(since, clock_wall_ms(), text, sizeof(text)));
        buf_addf(out, "  pid %" PRId64 "  %" PRId64 "/%" PRId64 " workers",
            pool_number(cli, "pid", 0), pool_number(cli, "workers", 0),
            pool_number(cli, "workers_target", 0));
    } else {
        buf_adds(out, "stint " STINT_VERSION);
    }
    if (db_bytes > 0)
        buf_addf(out, "  db %s (wal %s)", text_size(db_bytes, text, sizeof(text)),
            text_size(wal_bytes, wal, sizeof(wal)));
    buf_adds(out, "  ");
    add_health(cli, out);
}

static void add_counts(struct table *t, const int64_t counts[STATUS_COUNT])
{
    table_add_count(t, counts[STATUS_PENDING], TONE_NONE);
    table_add_count(t, counts[STATUS_IN_PROGRESS], TONE_NONE);
    table_add_count(t, counts[STATUS_RETRY_LATER], TONE_WARN);
    table_add_count(t, counts[STATUS_FAILED] + counts[STATUS_EXHAUSTED], TONE_BAD);
}

static const struct stage_view *paused_stage(const struct job_view *job)
{
    for (size_t i = 0; i < job->stages_len; i++)
        if (job->stages[i].is_paused)
            return &job->stages[i];
    return NULL;
}

/* Nothing found yet, all done, or what holds it up: each is said in its own words. */
static void add_state(const struct cli *cli, struct table *t, const struct job_view *job)
{
    bool has_pool = cli->presence != POOL_ABSENT;
    const struct stage_view *paused = paused_stage(job);
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    enum tone tone = TONE_NONE;
    char n[32];
    if (!job->is_configured) {
        buf_addf(&text, "not in the configuration%s",
            job->is_paused ? "; paused"
            : paused       ? "; a stage is paused"
                           : "");
        tone = TONE_WARN;
    } else if (job->is_paused) {
        buf_adds(&text, "paused");
        tone = TONE_BAD;
    } else if (paused) {
        buf_addf(&text, "%s.%s is paused", job->name, paused->name);
        tone = TONE_BAD;
    } else if (job->is_finding && has_pool) {
        buf_adds(&text, "(still finding)");
    } else if (!has_pool && job->counts[STATUS_IN_PROGRESS] > 0) {
        buf_addf(&text, "%s in flight; waits for a pool",
            text_count(job->counts[STATUS_IN_PROGRESS], n, sizeof(n)));
        tone = TONE_WARN;
    } else if (!has_pool && (job->is_finding || job_moving(job) > 0)) {
        buf_adds(&text, "waits for a pool");
        tone = TONE_WARN;
    } else if (job->failed_finding) {
        buf_adds(&text, "finding items failed");
        tone = TONE_BAD;
    } else if (job->items == 0) {
        buf_adds(&text, "nothing found yet");
    } else if (job_moving(job) > 0) {
        buf_adds(&text, "working");
    } else if (job_undone(job) > 0) {
        buf_adds(&text, "at rest, not all done");
        tone = TONE_WARN;
    } else {
        buf_adds(&text, "all done");
        tone = TONE_GOOD;
    }
    if (job->counts[STATUS_CANCELLED] > 0)
        buf_addf(&text, "; %s run%s cancelled",
            text_count(job->counts[STATUS_CANCELLED], n, sizeof(n)),
            job->counts[STATUS_CANCELLED] == 1 ? "" : "s");
    table_add(t, buf_str(&text), tone);
}

static void add_jobs(
    const struct cli *cli, const struct overview *view, const char *only, struct buf *out)
{
    struct table t CLEANUP(table_fini);
    table_init(&t, job_columns, COLUMNS, cli->width, cli->has_color);
    for (size_t i = 0; i < view->len; i++) {
        const struct job_view *job = &view->jobs[i];
        if (only && strcmp(only, job->name) != 0)
            continue;
        table_add(&t, job->name, TONE_BOLD);
        table_add_count(&t, job->items, TONE_NONE);
        add_counts(&t, job->counts);
        table_add_count(&t, job->done_items, TONE_GOOD);
        add_state(cli, &t, job);
    }
    table_flush(&t, out);
}

static void add_stages(const struct cli *cli, const struct job_view *job, struct buf *out)
{
    struct table t CLEANUP(table_fini);
    table_init(&t, stage_columns, COLUMNS, cli->width, cli->has_color);
    for (size_t i = 0; i < job->stages_len; i++) {
        const struct stage_view *stage = &job->stages[i];
        struct buf state CLEANUP(buf_fini) = BUF_INIT;
        table_add(&t, stage->name, TONE_NONE);
        table_add_count(&t, stage->counts[STATUS_BLOCKED], TONE_NONE);
        add_counts(&t, stage->counts);
        table_add_count(&t, stage->counts[STATUS_DONE] + stage->counts[STATUS_SKIPPED], TONE_GOOD);
        if (!stage->is_enabled)
            buf_adds(&state, "not in the configuration");
        if (stage->is_paused)
            buf_adds(&state, state.len > 0 ? "; paused" : "paused");
        table_add(&t, buf_str(&state), stage->is_paused ? TONE_BAD : TONE_NONE);
    }
    buf_addc(out, '\n');
    table_flush(&t, out);
}

static void add_failures(const struct overview *view, const char *only, struct buf *out)
{
    char n[2][32];
    for (size_t i = 0; i < view->len; i++) {
        const struct job_view *job = &view->jobs[i];
        int64_t exhausted = job->counts[STATUS_EXHAUSTED];
        if (job_failed(job) == 0 || (only && strcmp(only, job->name) != 0))
            continue;
        buf_addf(
            out, "%s failed in %s", text_count(job_failed(job), n[0], sizeof(n[0])), job->name);
        if (exhausted > 0)
            buf_addf(out, " (%s exhausted)", text_count(exhausted, n[1], sizeof(n[1])));
        buf_addf(out, "    see: stint ls 'job:%s status:failed,exhausted'", job->name);
        if (job->is_configured)
            buf_addf(out, "    again: stint retry job:%s", job->name);
        buf_addc(out, '\n');
    }
    const char *again = only;
    for (size_t i = 0; again == NULL && i < view->len; i++)
        again = view->jobs[i].failed_finding ? view->jobs[i].name : NULL;
    if (notes_add_failed_finding(out, view, only))
        buf_addf(out, "    see: stint events --event attempt.failed    again: stint discover %s\n",
            again ? again : "JOB");
}

static int64_t count_in_flight(const struct overview *view)
{
    int64_t n = 0;
    for (size_t i = 0; i < view->len; i++)
        n += view->jobs[i].counts[STATUS_IN_PROGRESS];
    return n;
}

static void teach_start(const struct cli *cli, const struct overview *view)
{
    char n[32];
    int64_t in_flight = count_in_flight(view);
    if (in_flight > 0)
        cli_say(cli, "%s %s in flight when the pool ended; go on with:  stint run",
            text_count(in_flight, n, sizeof(n)), in_flight == 1 ? "was" : "were");
    else
        cli_say(cli, "Start a pool:  stint run      or  systemctl start stint");
}

/* What to type next, when there is nothing to see yet. */
static void teach(const struct cli *cli, const struct overview *view)
{
    int64_t items = 0;
    bool is_finding = false;
    for (size_t i = 0; i < view->len; i++) {
        items += view->jobs[i].items;
        is_finding = is_finding || view->jobs[i].is_finding;
    }
    if (view->len == 0)
        cli_say(cli,
            "no job is configured in %s: add a section [job NAME], or look at an example: "
            "stint init DIR",
            cli->conf);
    else if (cli->presence == POOL_ABSENT)
        teach_start(cli, view);
    else if (items == 0 && !is_finding)
        cli_say(cli, "nothing found yet: stint discover JOB, or stint add JOB KEY…");
}

static void json_counts(struct json *j, const int64_t counts[STATUS_COUNT])
{
    json_open_object(j, "counts");
    for (int s = 0; s < STATUS_COUNT; s++)
        json_int(j, status_name((enum stage_status)s), counts[s]);
    json_end_object(j);
}

static void json_pool(const struct cli *cli, struct json *j)
{
    int64_t db_bytes, wal_bytes;
    bool is_running = cli->presence == POOL_RUNNING;
    const char *const texts[] = {"state", "version", "pool_id"};
    look_sizes(cli->config->pool.database, &db_bytes, &wal_bytes);
    json_open_object(j, "pool");
    json_bool(j, "running", is_running);
    json_bool(j, "answers", is_running);
    if (is_running)
        json_int(j, "pid", pool_number(cli, "pid", 0));
    else
        json_add_null(j, "pid");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_str(j, texts[i], pool_text(cli, texts[i]));
    json_int(j, "workers", pool_number(cli, "workers", 0));
    json_int(j, "workers_target", pool_number(cli, "workers_target", 0));
    if (is_running && pool_number(cli, "keeper_pid", 0))
        json_int(j, "keeper_pid", pool_number(cli, "keeper_pid", 0));
    else
        json_add_null(j, "keeper_pid");
    json_str(j, "since", pool_text(cli, "started_at"));
    char *holder = json_dumps(json_object_get(cli->pool, "lock_holder"), JSON_COMPACT);
    json_raw(j, "lock_holder", holder);
    free(holder);
    char *reload = json_dumps(json_object_get(cli->pool, "reload"), JSON_COMPACT);
    json_raw(j, "reload", reload);
    free(reload);
    json_str(j, "database", cli->config->pool.database);
    json_int(j, "database_bytes", db_bytes);
    json_int(j, "wal_bytes", wal_bytes);
    json_end_object(j);
}

static void json_stage(struct json *j, const struct stage_view *stage)
{
    json_open_object(j, NULL);
    json_str(j, "name", stage->name);
    json_counts(j, stage->counts);
    json_bool(j, "enabled", stage->is_enabled);
    json_bool(j, "paused", stage->is_paused);
    json_str(j, "reason", stage->reason);
    json_time(j, "retry_after", stage->retry_after_wall_ms);
    json_end_object(j);
}

static void json_job(struct json *j, const struct job_view *job)
{
    json_open_object(j, NULL);
    json_str(j, "name", job->name);
    json_bool(j, "configured", job->is_configured);
    json_bool(j, "paused", job->is_paused);
    json_int(j, "items", job->items);
    json_int(j, "done_items", job->done_items);
    json_bool(j, "discovering", job->is_finding);
    json_bool(j, "discovery_failed", job->failed_finding > 0);
    json_bool(j, "at_rest", !job->is_finding && job_moving(job) == 0);
    json_counts(j, job->counts);
    json_open_array(j, "stages");
    for (size_t i = 0; i < job->stages_len; i++)
        json_stage(j, &job->stages[i]);
    json_end_array(j);
    json_end_object(j);
}

static void write_json(
    const struct cli *cli, const struct overview *view, const char *only, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.status/1");
    json_pool(cli, &j);
    json_open_array(&j, "jobs");
    for (size_t i = 0; i < view->len; i++)
        if (!only || strcmp(only, view->jobs[i].name) == 0)
            json_job(&j, &view->jobs[i]);
    json_end_array(&j);
    json_int(&j, "failed_discoveries", view->failed_discoveries);
    json_end_object(&j);
    buf_addc(out, '\n');
}

static void write_text(
    struct cli *cli, const struct overview *view, const char *only, struct buf *out)
{
    add_header(cli, out);
    reload_add_note(cli, out);
    if (view->len > 0)
        add_jobs(cli, view, only, out);
    if (only)
        add_stages(cli, overview_job(view, only), out);
    notes_add_paused(out, view, only, clock_wall_ms());
    paced_add_notes(cli, view, only, out);
    add_failures(view, only, out);
}

static enum cli_exit run(struct cli *cli)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    const char *only = cli->args->words_len ? cli->args->words[0] : NULL;
    enum rc rc = overview_take(cli->store, cli->config, &view, &err);
    if (!rc)
        rc = finding_failed(cli->store, &view, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    /* A removed job's items stay: such a job can be looked at, too. */
    if (only && !overview_job(&view, only) && !cli_job(cli, only))
        return CLI_USAGE;
    if (cli->is_json)
        write_json(cli, &view, only, &out);
    else
        write_text(cli, &view, only, &out);
    cli_print(&out);
    if (!cli->is_json)
        teach(cli, &view);
    return CLI_OK;
}

const struct command command_status = {
    .name = "status",
    .group = GROUP_LOOK,
    .usage = "[JOB]",
    .help = "how far everything is",
    .text = "Works without a pool as well.\n",
    .words = {WORD_JOB},
    .words_max = 1,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
