/* try: one item through its stages before your eyes: each run by stint-worker itself, outside the
 * pool. Nothing is recorded but what it cost. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/loop.h"
#include "cli/pool.h"
#include "cli/try_item.h"
#include "cli/try_show.h"
#include "cli/trying.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/protocol/message.h"
#include "common/store/cost.h"

struct trial {
    struct cli *cli;
    struct try_item item;
    const struct stage_spec *stage; /* the one at hand */
    struct try_show show;
    struct interrupt interrupt;
    bool is_good;   /* it ended as done or skipped */
    bool has_ended; /* whichever way */
    int signum;     /* that came; 0: none */
    double cost_usd;
    int64_t tokens;
    bool has_cost, has_lost_cost; /* was said; could not be recorded */
};

static void trial_fini(struct trial *t)
{
    interrupt_give_back(&t->interrupt);
    try_item_fini(&t->item);
}

/* ---- tokens ---- */

/* *ret_wait_ms 0: taken. */
static enum cli_exit take_tokens(struct trial *t, char **ret_resource, int64_t *ret_wait_ms)
{
    CLEANUP(buf_fini) struct buf payload = BUF_INIT;
    struct err err = {""};
    char request[160];
    (void)snprintf(request, sizeof(request), "take %s.%s", t->item.job->name, t->stage->name);
    enum rc rc = cli_ask(t->cli, request, &payload, &err);
    if (rc == RC_NOTFOUND) { /* it has stopped meanwhile */
        *ret_wait_ms = 0;
        return CLI_OK;
    }
    if (rc)
        return cli_fail_rc(rc, &err);
    json_t *answer = json_loads(buf_str(&payload), 0, NULL);
    const char *resource = json_string_value(json_object_get(answer, "resource"));
    *ret_wait_ms = json_integer_value(json_object_get(answer, "wait_ms"));
    free(*ret_resource);
    *ret_resource = resource ? xstrdup(resource) : NULL;
    json_decref(answer);
    return CLI_OK;
}

/* The pool's tokens, as its workers take them. */
static enum cli_exit await_tokens(struct trial *t)
{
    CLEANUP_FREE char *resource = NULL;
    bool has_told = false;
    if (t->cli->presence != POOL_RUNNING || t->stage->tuning.resources_len == 0)
        return CLI_OK;
    for (;;) {
        int64_t wait_ms = 0;
        char span[48];
        enum cli_exit code = take_tokens(t, &resource, &wait_ms);
        if (code || wait_ms == 0)
            return code;
        if (!has_told)
            cli_say(t->cli, "waits for a token of resource %s, in %s", resource ? resource : "?",
                text_duration(wait_ms, span, sizeof(span)));
        has_told = true;
        (void)loop_wait_fd(t->interrupt.fd, clock_mono_ns() + wait_ms * NS_PER_MS);
        t->signum = interrupt_came(&t->interrupt);
        if (t->signum != 0)
            return CLI_FAILED;
    }
}

/* ---- costs ---- */

/* What the catalog knows the stage as. */
static const struct catalog_stage *known_stage(const struct trial *t)
{
    const struct catalog_job *job = catalog_job(t->cli->catalog, t->item.job->name);
    for (size_t i = 0; job && i < job->spec->stages_len; i++)
        if (strcmp(job->spec->stages[i].name, t->stage->name) == 0)
            return &job->stages[i];
    return NULL;
}

/* Only where there is a database already. */
static enum rc record_cost(struct trial *t, struct cost *cost, struct err *err)
{
    struct cli *cli = t->cli;
    if (!cli->store)
        return RC_NOTFOUND;
    if (!cli->catalog) {
        store_close(cli->store);
        cli->store = NULL;
        if (cli_open_write(cli))
            return RC_STORE;
    }
    const struct catalog_stage *stage = known_stage(t);
    return stage ? store_cost_of_trial(cli->store, stage, t->item.id, cost, err) : RC_NOTFOUND;
}

static void on_cost(struct trial *t, struct message *m)
{
    struct err err = {""};
    struct cost cost = {
        .usd = m->cost_usd, .tokens = m->tokens, .of = m->text.len > 0 ? m->text.data : NULL};
    t->cost_usd += m->cost_usd;
    t->tokens += m->tokens;
    t->has_cost = true;
    enum rc rc = record_cost(t, &cost, &err);
    if (rc == RC_OK)
        return;
    t->has_lost_cost = true;
    if (rc != RC_NOTFOUND)
        cli_say(t->cli, "the cost is not recorded: %s", err.text);
}

static void look_for_cost(struct trial *t, const json_t *event)
{
    CLEANUP(message_fini) struct message m = MESSAGE_INIT;
    const char *line = json_string_value(json_object_get(event, "line"));
    struct err err;
    if (!line || json_is_string(json_object_get(event, "fault")) ||
        json_is_string(json_object_get(event, "doubt")) ||
        message_parse(line, strlen(line), &m, NULL, &err) != RC_OK)
        return;
    if (m.type == MESSAGE_COST)
        on_cost(t, &m);
}

/* ---- a stage ---- */

/* At once: somebody is looking on. */
static void print(const struct buf *out)
{
    cli_print(out);
    (void)fflush(stdout);
}

/* {"schema":…,"stage":…, and the event's own members. */
static void write_json(const struct trial *t, const char *line)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    buf_addf(&out, "{\"schema\":\"stint.try/1\",\"stage\":\"%s\",%s\n", t->stage->name, line + 1);
    print(&out);
}

static void on_end(struct trial *t, const json_t *event, const char *line)
{
    const char *start, *outcome = json_string_value(json_object_get(event, "outcome"));
    size_t len, at = (size_t)(t->stage - t->item.job->stages);
    t->has_ended = true;
    t->is_good = strcmp(outcome, "done") == 0 || strcmp(outcome, "skip") == 0;
    free(t->item.results[at]);
    t->item.results[at] = NULL;
    if (json_member(line, "result", &start, &len))
        t->item.results[at] = xstrndup(start, len);
}

static void on_line(struct trial *t, const char *line)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    json_t *event = json_loads(line, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    const char *name = json_string_value(json_object_get(event, "event"));
    if (!name) {
        json_decref(event);
        return;
    }
    if (t->cli->is_json)
        write_json(t, line);
    else
        try_show_event(&t->show, event, line, &out);
    print(&out);
    if (strcmp(name, "message") == 0)
        look_for_cost(t, event);
    else if (strcmp(name, "end") == 0)
        on_end(t, event, line);
    json_decref(event);
}

static void announce(struct trial *t, int64_t attempt)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    struct json j;
    if (!t->cli->is_json) {
        try_show_stage(&t->show, attempt, &out);
        print(&out);
        return;
    }
    json_init(&j, &out);
    json_open_object(&j, NULL);
    json_str(&j, "event", "stage");
    json_str(&j, "job", t->item.job->name);
    json_str(&j, "key", t->item.key);
    json_bool(&j, "known", t->item.id != 0);
    json_int(&j, "attempt", attempt);
    json_int(&j, "max_attempts", t->stage->tuning.max_attempts);
    json_num(&j, "timeout_s", (double)t->stage->tuning.timeout_ms / 1000);
    json_end_object(&j);
    write_json(t, buf_str(&out));
}

static enum cli_exit watch(struct trial *t, const struct buf *run)
{
    CLEANUP(trying_end) struct trying trying = TRYING_INIT;
    struct err err = {""};
    const char *line;
    enum rc rc = trying_start(&trying, t->cli, run, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    while (trying_next(&trying, &t->interrupt, &line) == RC_ROW)
        on_line(t, line);
    t->signum = trying.signum;
    trying_end(&trying);
    if (!t->has_ended && t->signum == 0)
        return cli_fail(CLI_FAILED, "the trial of %s ended by itself; see above", t->stage->name);
    return t->is_good ? CLI_OK : CLI_FAILED;
}

static enum cli_exit try_stage(struct trial *t, const struct stage_spec *stage)
{
    CLEANUP(buf_fini) struct buf run = BUF_INIT;
    int64_t attempt = 1;
    t->stage = stage;
    t->show =
        (struct try_show){.cli = t->cli, .job = t->item.job, .stage = stage, .key = t->item.key};
    t->is_good = t->has_ended = false;
    if (stage->handler.kind == HANDLER_BUILTIN && stage->handler.builtin == BUILTIN_DISCOVER)
        return cli_fail(CLI_FAILED,
            "%s.%s discovers items, which would be added; see what it finds: stint discover JOB -n",
            t->item.job->name, stage->name);
    enum cli_exit code = try_item_run(t->cli, &t->item, stage, &attempt, &run);
    if (code == CLI_OK)
        code = await_tokens(t);
    if (code)
        return code;
    announce(t, attempt);
    return watch(t, &run);
}

/* ---- all of it ---- */

static void say_cost(const struct trial *t)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    if (t->cost_usd > 0)
        buf_addf(&text, "%g usd", t->cost_usd);
    if (t->tokens > 0)
        buf_addf(&text, "%s%lld tokens", text.len > 0 ? ", " : "", (long long)t->tokens);
    if (!t->has_cost)
        cli_say(t->cli, "Nothing was recorded.");
    else if (t->has_lost_cost)
        cli_say(t->cli, "Nothing was recorded, not even its cost (%s): there is no database yet.",
            buf_str(&text));
    else
        cli_say(t->cli, "Nothing was recorded but its cost (%s).", buf_str(&text));
}

static void say_next(const struct trial *t, enum cli_exit code, size_t left)
{
    CLEANUP(buf_fini) struct buf key = BUF_INIT;
    const char *job = t->item.job->name;
    text_add_printable(&key, t->item.key, strlen(t->item.key));
    say_cost(t);
    if (code && left > 0)
        cli_say(t->cli, "What comes after %s was not tried.", t->stage->name);
    if (code)
        cli_say(t->cli, "Again:  stint try %s '%s' --stage %s", job, buf_str(&key), t->stage->name);
    else if (t->item.id == 0)
        cli_say(t->cli, "For good:  stint add %s '%s'", job, buf_str(&key));
}

static const struct stage_spec *find_stage(const struct job_spec *job, const char *name)
{
    CLEANUP(buf_fini) struct buf names = BUF_INIT;
    const struct stage_spec *stage = job_stage(job, name);
    if (stage)
        return stage;
    for (size_t i = 0; i < job->stages_len; i++)
        buf_addf(&names, "%s%s", i ? ", " : "", job->stages[i].name);
    (void)cli_fail(
        CLI_USAGE, "job %s has no stage \"%.64s\"; it has: %s", job->name, name, buf_str(&names));
    return NULL;
}

static enum cli_exit run(struct cli *cli)
{
    CLEANUP(trial_fini) struct trial t = {.cli = cli, .interrupt = {.fd = -1}};
    const char *name = args_text(cli->args, "stage");
    struct err err = {""};
    const struct job_spec *job = cli_job(cli, cli->args->words[0]);
    const struct stage_spec *only = job && name ? find_stage(job, name) : NULL;
    if (!job || (name && !only))
        return CLI_USAGE;
    enum cli_exit code = try_item_take(cli, job, &t.item);
    if (code)
        return code;
    enum rc rc = interrupt_take(&t.interrupt, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    size_t i = only ? (size_t)(only - job->stages) : 0, end = only ? i + 1 : job->stages_len;
    while (code == CLI_OK && i < end)
        code = try_stage(&t, &job->stages[i++]);
    if (t.has_ended && !cli->is_json)
        say_next(&t, code, end - i);
    if (t.signum != 0)
        interrupt_end(&t.interrupt, t.signum);
    return code;
}

static const struct flag flags[] = {
    {.name = "stage",
        .type = FLAG_TEXT,
        .value = "S",
        .help = "only this one, with the stored results of those before it",
        .kind = WORD_STAGE},
    {.name = "data",
        .type = FLAG_TEXT,
        .value = "JSON|@FILE|-",
        .help = "the item's data (default: as it is stored, else {})"},
    {.name = NULL},
};

const struct command command_try = {
    .name = "try",
    .group = GROUP_START,
    .usage = "JOB [KEY|-] [--stage S] [--data JSON|@FILE|-]",
    .help = "one item through its stages before your eyes; records nothing but its cost",
    .text =
        "Runs the handler of each stage as a worker would, with all its limits, and shows what it\n"
        "is asked, what it says, how it ends, and what the pool would make of that. The item may\n"
        "be known or not; without KEY one is taken that is not done. With - it is read from\n"
        "standard input: {\"key\": \"…\", \"data\": {…}}. A handler gets the checkpoint and the "
        "results\n"
        "that are stored, and those of this trial. Nothing is recorded but costs, where there is "
        "a\n"
        "database; but a handler does its work. A running pool's tokens are taken; none need run.\n"
        "Exit status 0 if all stages ended as done or skipped, 1 if not, 5 if there is no item.\n\n"
        "  stint try news\n"
        "  stint try news https://example.org/ --stage fetch\n"
        "  stint try news some-key --data '{\"depth\": 2}'\n",
    .flags = flags,
    .words = {WORD_JOB, WORD_TEXT},
    .words_min = 1,
    .words_max = 2,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
