/* events: the log of what happened, newest last; -f goes on as they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/loop.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/store/look.h"

#define LIMIT_PRESET 50
#define PAGE_EVENTS 500
#define KINDS_MAX 64
#define KINDS_LOOK 1000

static const struct table_column columns[] = {{"TIME", false}, {"EVENT", false}, {"JOB", false},
    {"STAGE", false}, {"KEY", false}, {"DATA", false}};

struct events {
    bool is_json;
    struct buf out;
    struct table table;
    int64_t rows, last_id;
};

static void add_json(struct events *e, const struct event_row *row)
{
    struct json j;
    json_init(&j, &e->out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.event/1");
    json_int(&j, "id", row->id);
    json_time(&j, "ts", row->ts_wall_ms);
    json_str(&j, "event", row->event);
    json_str(&j, "job", row->job);
    json_str(&j, "stage", row->stage);
    json_str(&j, "key", row->key);
    json_raw(&j, "data", row->data);
    json_end_object(&j);
    buf_addc(&e->out, '\n');
}

static enum rc on_event(void *ctx, const struct event_row *row)
{
    struct events *e = ctx;
    char time[40];
    e->rows++;
    e->last_id = row->id;
    if (e->is_json) {
        add_json(e, row);
        return RC_OK;
    }
    table_add(&e->table, clock_format_wall(row->ts_wall_ms, time, sizeof(time)), TONE_FAINT);
    table_add(&e->table, row->event, TONE_NONE);
    table_add(&e->table, row->job, TONE_NONE);
    table_add(&e->table, row->stage, TONE_NONE);
    table_add(&e->table, row->key, TONE_NONE);
    table_add(&e->table, row->data && strcmp(row->data, "{}") != 0 ? row->data : NULL, TONE_NONE);
    return RC_OK;
}

static void print(struct events *e)
{
    if (!e->is_json && e->table.cells_len > 0)
        table_flush(&e->table, &e->out);
    cli_print(&e->out);
    buf_reset(&e->out);
}

/* All events after the last one shown, at most limit, in pages. */
static enum rc show(struct cli *cli, struct events *e, int64_t limit, struct err *err)
{
    const char *name = args_text(cli->args, "event");
    for (int64_t left = limit; left > 0;) {
        int64_t page = left < PAGE_EVENTS ? left : PAGE_EVENTS, before = e->rows;
        enum rc rc = look_events(cli->store, e->last_id, name, page, on_event, e, err);
        print(e);
        if (rc)
            return rc;
        if (e->rows - before < page)
            return RC_OK;
        left -= page;
    }
    return RC_OK;
}

/* True when it is time to look again; false when nobody reads any more. */
static bool await_look(struct follow *follow)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = follow_fd(follow), .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
        if (!loop_wait(fds, 2, follow_due_ns(follow)))
            return true;
        if (fds[1].revents)
            return false;
        follow_on_sign(follow);
    }
}

static enum rc go_on(struct cli *cli, struct events *e, struct err *err)
{
    struct follow follow = FOLLOW_INIT;
    enum rc rc = follow_open(&follow, cli->config->pool.database, err);
    while (!rc && await_look(&follow)) {
        follow_looked(&follow, clock_mono_ns());
        rc = show(cli, e, INT64_MAX, err);
        if (fflush(stdout))
            break;
    }
    follow_close(&follow);
    return rc;
}

static enum rc show_all(struct cli *cli, struct events *e, struct err *err)
{
    const char *name = args_text(cli->args, "event");
    int64_t limit = args_number(cli->args, "limit", LIMIT_PRESET);
    enum rc rc = look_events_tail(cli->store, name, limit, &e->last_id, err);
    if (!rc)
        rc = show(cli, e, limit, err);
    if (!rc && args_has(cli->args, "follow"))
        rc = go_on(cli, e, err);
    return rc;
}

/* The kinds of the newest events: those that there are. */
struct kinds {
    char *names[KINDS_MAX];
    size_t len;
};

static enum rc on_kind(void *ctx, const struct event_row *row)
{
    struct kinds *kinds = ctx;
    for (size_t i = 0; i < kinds->len; i++)
        if (strcmp(kinds->names[i], row->event) == 0)
            return RC_OK;
    if (kinds->len < KINDS_MAX)
        kinds->names[kinds->len++] = xstrdup(row->event);
    return RC_OK;
}

static void say_no_event(const struct cli *cli)
{
    struct kinds kinds = {.len = 0};
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    const char *name = args_text(cli->args, "event"), *near = NULL;
    int64_t after = 0;
    text_add_printable(&shown, name, strlen(name));
    /* Only for a hint: what cannot be read is not suggested. */
    if (cli->store && look_events_tail(cli->store, NULL, KINDS_LOOK, &after, NULL) == RC_OK &&
        look_events(cli->store, after, NULL, KINDS_LOOK, on_kind, &kinds, NULL) == RC_OK)
        near = text_nearest(name, (const char *const *)kinds.names, kinds.len);
    if (near)
        cli_say(cli, "no event \"%s\" yet; did you mean \"%s\"?", buf_str(&shown), near);
    else
        cli_say(cli, "no event \"%s\" yet; see all that happened: stint events", buf_str(&shown));
    for (size_t i = 0; i < kinds.len; i++)
        free(kinds.names[i]);
}

static enum cli_exit run(struct cli *cli)
{
    struct events e = {.is_json = cli->is_json};
    struct err err = {""};
    enum rc rc = RC_OK;
    if (args_has(cli->args, "follow")) {
        enum cli_exit code = cli_await_store(cli, LOOP_NEVER);
        if (code != CLI_OK)
            return code;
    }
    table_init(&e.table, columns, 6, cli->width, cli->has_color);
    if (cli->store)
        rc = show_all(cli, &e, &err);
    table_fini(&e.table);
    buf_fini(&e.out);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (e.rows > 0 || args_has(cli->args, "follow"))
        return CLI_OK;
    if (args_has(cli->args, "event"))
        say_no_event(cli);
    else
        cli_say(cli, "nothing has happened yet: start a pool with stint run");
    return CLI_NO_MATCH;
}

static const struct flag flags[] = {
    {.name = "event",
        .type = FLAG_TEXT,
        .value = "NAME",
        .help = "only this kind, e.g. attempt.failed"},
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = LIMIT_MAX,
        .help = "the newest N (default 50)"},
    {.name = "follow", .letter = 'f', .type = FLAG_BOOL, .help = "go on as events come"},
    {.name = NULL},
};

const struct command command_events = {
    .name = "events",
    .group = GROUP_LOOK,
    .usage = "[--event NAME] [--limit N] [-f]",
    .help = "what happened, newest last",
    .flags = flags,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
