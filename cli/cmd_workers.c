/* workers: who works on what: the pool's slots, joined with the database for job, stage and key. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/look.h"

static const struct table_column columns[] = {{"SLOT", true}, {"PID", true}, {"STATE", false},
    {"SINCE", true}, {"JOB", false}, {"STAGE", false}, {"KEY", false}};
#define COLUMNS 7

struct owner {
    char *job, *stage, *key;
};

static void owner_fini(struct owner *o)
{
    free(o->job);
    free(o->stage);
    free(o->key);
    *o = (struct owner){NULL, NULL, NULL};
}

static enum rc on_owner(void *ctx, const struct claim_owner *row)
{
    struct owner *o = ctx;
    owner_fini(o);
    o->job = row->job ? xstrdup(row->job) : NULL;
    o->stage = row->stage ? xstrdup(row->stage) : NULL;
    o->key = row->key ? xstrdup(row->key) : NULL;
    return RC_OK;
}

/* A claim may end between the two looks: then the worker is shown without it. */
static void find_owner(struct cli *cli, const char *claim, struct owner *ret)
{
    int64_t number;
    if (!claim || !cli->store || !claim_parse(claim, &number))
        return;
    if (look_claim(cli->store, number, on_owner, ret, NULL))
        owner_fini(ret);
}

static const char *member(const json_t *worker, const char *name)
{
    return json_string_value(json_object_get(worker, name));
}

static void add_json(struct buf *out, const json_t *worker, const struct owner *o)
{
    struct json j;
    const json_t *handler = json_object_get(worker, "handler_pid");
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.worker/1");
    json_int(&j, "slot", json_integer_value(json_object_get(worker, "slot")));
    json_int(&j, "pid", json_integer_value(json_object_get(worker, "pid")));
    json_int(&j, "life", json_integer_value(json_object_get(worker, "life")));
    json_str(&j, "state", member(worker, "state"));
    json_str(&j, "claim", member(worker, "claim"));
    json_str(&j, "job", o->job);
    json_str(&j, "stage", o->stage);
    json_str(&j, "key", o->key);
    json_int(&j, "runs", json_integer_value(json_object_get(worker, "runs")));
    json_str(&j, "since", member(worker, "since"));
    if (json_integer_value(handler) > 0)
        json_int(&j, "handler_pid", json_integer_value(handler));
    else
        json_add_null(&j, "handler_pid");
    json_end_object(&j);
    buf_addc(out, '\n');
}

static void add_row(struct table *t, const json_t *worker, const struct owner *o)
{
    char text[64];
    int64_t since = show_parse_time(member(worker, "since"));
    const char *state = member(worker, "state");
    (void)snprintf(text, sizeof(text), "%" PRId64,
        (int64_t)json_integer_value(json_object_get(worker, "slot")));
    table_add(t, text, TONE_NONE);
    (void)snprintf(text, sizeof(text), "%" PRId64,
        (int64_t)json_integer_value(json_object_get(worker, "pid")));
    table_add(t, text, TONE_NONE);
    table_add(t, state, state && strcmp(state, "running") == 0 ? TONE_GOOD : TONE_NONE);
    table_add(
        t, since < 0 ? NULL : show_age(since, clock_wall_ms(), text, sizeof(text)), TONE_NONE);
    table_add(t, o->job, TONE_NONE);
    table_add(t, o->stage, TONE_NONE);
    int64_t more = (int64_t)json_integer_value(json_object_get(worker, "runs")) - 1;
    char *key = more > 0 && o->key ? xasprintf("%s and %" PRId64 " more", o->key, more) : NULL;
    table_add(t, key ? key : o->key, TONE_NONE);
    free(key);
}

static enum cli_exit show(
    struct cli *cli, const struct buf *payload, struct table *t, struct buf *out)
{
    const char *rest = buf_str(payload);
    json_t *worker;
    while ((worker = pool_next_object(&rest))) {
        struct owner owner = {NULL, NULL, NULL};
        find_owner(cli, member(worker, "claim"), &owner);
        if (cli->is_json)
            add_json(out, worker, &owner);
        else
            add_row(t, worker, &owner);
        owner_fini(&owner);
        json_decref(worker);
    }
    return pool_end_of_answer(rest);
}

static enum cli_exit run(struct cli *cli)
{
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct table t CLEANUP(table_fini);
    struct err err = {""};
    table_init(&t, columns, COLUMNS, cli->width, cli->has_color);
    enum rc rc = cli_ask(cli, "workers", &payload, &err);
    if (rc)
        return pool_fail(cli, rc, &err);
    enum cli_exit code = show(cli, &payload, &t, &out);
    if (code == CLI_OK && !cli->is_json)
        table_flush(&t, &out);
    cli_print(&out);
    return code;
}

const struct command command_workers = {
    .name = "workers",
    .group = GROUP_LOOK,
    .usage = "",
    .help = "who works on what",
    .text = "Exit status 3 if no pool is running.\n",
    .needs = NEED_CONFIG | NEED_POOL | NEED_READ,
    .run = run,
};
