#include "cli/item_view.h"

#include <stdlib.h>
#include <string.h>

#include "cli/pool.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/ending.h"
#include "common/store/select.h"

static void add_run(const struct cli *cli, struct item_view *view, const struct run_row *row)
{
    const struct job_spec *job = config_job(cli->config, row->s.job);
    const struct stage_spec *stage = job ? job_stage(job, row->s.stage) : NULL;
    view->runs = xrealloc(view->runs, (view->runs_len + 1) * sizeof(*view->runs));
    view->runs[view->runs_len++] = (struct run_view){
        .stage = xstrdup(row->s.stage),
        .error = row->s.error ? xstrdup(row->s.error) : NULL,
        .status = row->s.status,
        .is_enabled = row->stage->is_enabled,
        .attempts = row->s.attempts,
        .max_attempts = stage ? stage->tuning.max_attempts : 0,
        .interruptions = row->s.interruptions,
        .snoozes = row->snoozes,
        .claim = row->claim,
        .changed_wall_ms = row->s.changed_wall_ms,
        .started_wall_ms = row->started_wall_ms,
        .ended_wall_ms = row->ended_wall_ms,
        .next_attempt_wall_ms = row->next_attempt_wall_ms,
        .elapsed_ms = row->elapsed_ms,
    };
}

/* By the filter that means this item, so that there is one way to read a stage run. */
static enum rc take_runs(struct cli *cli, struct item_view *view, struct err *err)
{
    char *job CLEANUP_FREE = xstrdup(view->job), *key CLEANUP_FREE = xstrdup(view->key);
    struct filter_value values[] = {{.text = job}, {.text = key}};
    struct filter_term terms[] = {
        {.field = FILTER_JOB, .values = &values[0], .values_len = 1},
        {.field = FILTER_KEY, .values = &values[1], .values_len = 1},
    };
    const struct filter filter = {terms, 2};
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct run_row row;
    enum rc rc = selection_open(cli->store, &filter, UINT32_MAX, &sel, err);
    if (rc)
        return rc;
    while ((rc = selection_next(sel, &row, err)) == RC_ROW)
        add_run(cli, view, &row);
    return rc == RC_DONE ? RC_OK : rc;
}

/* Who runs it now: the pool knows by the claim. */
static void take_worker(struct run_view *run, const json_t *worker)
{
    char claim[CLAIM_TEXT_MAX];
    const char *held = json_string_value(json_object_get(worker, "claim"));
    if (!held || run->claim == 0 || strcmp(held, claim_format(run->claim, claim)) != 0)
        return;
    run->slot = json_integer_value(json_object_get(worker, "slot"));
    run->pid = json_integer_value(json_object_get(worker, "pid"));
}

static void take_workers(const struct cli *cli, struct item_view *view)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    bool is_run = false;
    for (size_t i = 0; i < view->runs_len; i++)
        is_run = is_run || view->runs[i].status == STATUS_IN_PROGRESS;
    if (!is_run || cli->presence != POOL_RUNNING || cli_ask(cli, "workers", &answer, NULL))
        return;
    const char *rest = buf_str(&answer);
    json_t *worker;
    while ((worker = pool_next_object(&rest))) {
        for (size_t i = 0; i < view->runs_len; i++)
            if (view->runs[i].status == STATUS_IN_PROGRESS)
                take_worker(&view->runs[i], worker);
        json_decref(worker);
    }
}

static void take_note(void *ctx, const char *stage, const char *progress, const char *checkpoint)
{
    struct item_view *view = ctx;
    for (size_t i = 0; i < view->runs_len; i++) {
        struct run_view *run = &view->runs[i];
        if (strcmp(run->stage, stage) != 0 || run->progress || run->checkpoint)
            continue;
        run->progress = progress ? xstrdup(progress) : NULL;
        run->checkpoint = checkpoint ? xstrdup(checkpoint) : NULL;
    }
}

enum rc item_view_take(
    struct cli *cli, const char *job, const char *key, struct item_view *ret, struct err *err)
{
    *ret = (struct item_view){.job = job, .key = key};
    enum rc rc = look_item(cli->store, job, key, &ret->head, err);
    if (rc == RC_OK)
        rc = take_runs(cli, ret, err);
    if (rc == RC_OK)
        rc = look_item_notes(cli->store, ret->head.id, take_note, ret, err);
    if (rc == RC_OK)
        rc = look_item_events(cli->store, ret->head.id, &ret->events, err);
    if (rc == RC_OK)
        rc = look_item_results(cli->store, ret->head.id, &ret->results, err);
    if (rc == RC_OK)
        take_workers(cli, ret);
    return rc;
}

void item_view_fini(struct item_view *view)
{
    item_head_fini(&view->head);
    for (size_t i = 0; i < view->runs_len; i++) {
        free(view->runs[i].stage);
        free(view->runs[i].error);
        free(view->runs[i].progress);
        free(view->runs[i].checkpoint);
    }
    free(view->runs);
    view->runs = NULL;
    view->runs_len = 0;
    item_events_fini(&view->events);
    item_results_fini(&view->results);
}

/* ---- JSON ---- */

static void json_seconds(struct json *j, const char *key, int64_t ms)
{
    if (ms < 0)
        json_add_null(j, key);
    else
        json_num(j, key, (double)ms / 1000);
}

static void add_run_json(struct json *j, const struct run_view *run)
{
    char claim[CLAIM_TEXT_MAX];
    json_open_object(j, NULL);
    json_str(j, "stage", run->stage);
    json_str(j, "status", status_name(run->status));
    json_int(j, "attempts", run->attempts);
    if (run->max_attempts > 0)
        json_int(j, "max_attempts", run->max_attempts);
    json_int(j, "interruptions", run->interruptions);
    json_int(j, "snoozes", run->snoozes);
    json_str(j, "claim", run->claim ? claim_format(run->claim, claim) : NULL);
    json_time(j, "changed_at", run->changed_wall_ms);
    json_time(j, "started_at", run->started_wall_ms);
    json_time(j, "ended_at", run->ended_wall_ms);
    json_time(j, "next_attempt_at", run->next_attempt_wall_ms);
    json_seconds(j, "elapsed_s", run->elapsed_ms);
    json_str(j, "error", run->error);
    json_raw(j, "progress", run->progress);
    json_raw(j, "checkpoint", run->checkpoint);
    if (run->pid > 0) {
        json_int(j, "slot", run->slot);
        json_int(j, "pid", run->pid);
    }
    json_end_object(j);
}

static void add_event_json(struct json *j, const struct item_event *event)
{
    json_open_object(j, NULL);
    json_int(j, "id", event->id);
    json_time(j, "ts", event->ts_wall_ms);
    json_str(j, "event", event->event);
    json_str(j, "stage", event->stage);
    json_raw(j, "data", event->data);
    if (event->death)
        json_raw(j, "death", event->death);
    json_end_object(j);
}

static void add_result_json(struct json *j, const struct item_result *result)
{
    json_open_object(j, NULL);
    json_str(j, "stage", result->stage);
    json_raw(j, "result", result->data);
    json_str(j, "version", result->version);
    json_bool(j, "superseded", result->is_superseded);
    json_time(j, "created_at", result->created_wall_ms);
    json_end_object(j);
}

void item_view_json(const struct item_view *view, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.item/1");
    json_str(&j, "job", view->job);
    json_str(&j, "key", view->key);
    json_str(&j, "status", view->head.status);
    json_int(&j, "priority", view->head.priority);
    json_str(&j, "source", view->head.source);
    json_int(&j, "depth", view->head.depth);
    json_str(&j, "parent_job", view->head.parent_job);
    json_str(&j, "parent_key", view->head.parent_key);
    json_time(&j, "added_at", view->head.added_wall_ms);
    json_time(&j, "changed_at", view->head.changed_wall_ms);
    json_raw(&j, "data", view->head.data);
    json_open_array(&j, "stages");
    for (size_t i = 0; i < view->runs_len; i++)
        add_run_json(&j, &view->runs[i]);
    json_end_array(&j);
    json_open_array(&j, "events");
    for (size_t i = 0; i < view->events.len; i++)
        add_event_json(&j, &view->events.list[i]);
    json_end_array(&j);
    json_open_array(&j, "results");
    for (size_t i = 0; i < view->results.len; i++)
        add_result_json(&j, &view->results.list[i]);
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}
