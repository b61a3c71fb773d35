/* pause: nothing new starts in a job or stage once this returns; what runs goes on to its end. */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/loop.h"
#include "cli/pausing.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/ipc/claim.h"

#define ASK_GAP_NS (5 * NS_PER_MS)
#define SAY_AFTER_NS NS_PER_S
#define GIVE_UP_NS (60 * NS_PER_S) /* a worker that hangs is replaced long before */
#define REASON_MAX 400
#define FOR_MAX_MS (INT64_C(3653) * 24 * 3600 * 1000)

/* ---- runs that were claimed just before, and may be about to begin ---- */

/* The worker shows this claim, and its handler is there, or is one that needs no process. */
static bool is_begun(const struct cli *cli, json_t *worker, const struct pause_claim *claim)
{
    char text[CLAIM_TEXT_MAX];
    const char *has = json_string_value(json_object_get(worker, "claim"));
    const char *state = json_string_value(json_object_get(worker, "state"));
    const struct catalog_stage *stage = catalog_stage(cli->catalog, claim->stage_id);
    const char *begun = json_string_value(json_object_get(worker, "begun"));
    int64_t last = 0;
    if (begun && claim_parse(begun, &last) && claim_life(last) == claim_life(claim->claim) &&
        claim->claim <= last)
        return true;
    bool is_builtin = stage && stage->spec->handler.kind == HANDLER_BUILTIN;
    return has && state && strcmp(has, claim_format(claim->claim, text)) == 0 &&
           (json_integer_value(json_object_get(worker, "handler_pid")) > 0 ||
               (is_builtin && strcmp(state, "running") == 0));
}

static void drop_begun_by(const struct cli *cli, json_t *worker, struct pause_found *found)
{
    for (size_t i = 0; i < found->claims_len;) {
        if (is_begun(cli, worker, &found->claims[i]))
            found->claims[i] = found->claims[--found->claims_len];
        else
            i++;
    }
}

/* Drops from the list what has begun. False: the pool does not answer. */
static bool drop_begun(const struct cli *cli, struct pause_found *found)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    if (cli_ask(cli, "workers", &answer, NULL))
        return false;
    const char *rest = buf_str(&answer);
    json_t *worker;
    while ((worker = pool_next_object(&rest))) {
        drop_begun_by(cli, worker, found);
        json_decref(worker);
    }
    return true;
}

static enum rc drop_ended(struct store *store, struct pause_found *found, struct err *err)
{
    for (size_t i = 0; i < found->claims_len;) {
        bool runs = false;
        enum rc rc = store_claim_runs(store, found->claims[i].claim, &runs, err);
        if (rc)
            return rc;
        if (runs)
            i++;
        else
            found->claims[i] = found->claims[--found->claims_len];
    }
    return RC_OK;
}

/* Slots change without a commit: there is nothing to wait on, so they are asked again. Without a
 * pool nobody begins anything. */
static enum cli_exit await_begun(struct cli *cli, struct pause_found *found)
{
    struct err err = {""};
    int64_t began = clock_mono_ns();
    bool is_said = false;
    if (cli->presence == POOL_RUNNING && found->claims_len > 0) /* what waits is given back */
        (void)cli_ask(cli, "look", NULL, NULL);
    while (cli->presence == POOL_RUNNING && found->claims_len > 0) {
        if (!drop_begun(cli, found) && pool_ask_status(cli, cli->config->pool.socket, NULL))
            break; /* it has ended meanwhile, or hangs: its presence says which */
        if (drop_ended(cli->store, found, &err))
            return cli_fail_rc(RC_STORE, &err);
        int64_t now = clock_mono_ns();
        if (found->claims_len == 0 || now - began > GIVE_UP_NS)
            break;
        if (!is_said && now - began > SAY_AFTER_NS) {
            cli_say(cli, "paused; waiting for %zu run%s claimed just before to begin or come back",
                found->claims_len, found->claims_len == 1 ? "" : "s");
            is_said = true;
        }
        (void)loop_wait(NULL, 0, now + ASK_GAP_NS);
    }
    if (cli->presence != POOL_ABSENT && found->claims_len > 0)
        return cli_fail(CLI_FAILED,
            "it is paused, but %zu run%s claimed before may still begin: see stint workers",
            found->claims_len, found->claims_len == 1 ? "" : "s");
    return CLI_OK;
}

/* ---- saying it ---- */

static void say_text(const struct pausing *p, const struct pause_found *found, size_t running)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const char *verb = p->is_dry_run ? "would be" : "is";
    buf_adds(&text, p->name);
    if (!found->is_changed) {
        buf_adds(&text, " is already paused");
        pausing_add_state(&text, &found->was);
    } else {
        if (found->was.is_on_trial)
            buf_adds(&text, ", paused by its own handler,");
        else if (found->was.is_paused)
            buf_adds(&text, ", already paused,");
        buf_addf(&text, " %s paused", verb);
        pausing_add_state(&text, &found->is);
    }
    buf_addc(&text, '\n');
    if (!p->cli->is_quiet)
        cli_print(&text);
    if (running > 0 && !p->is_dry_run)
        cli_say(p->cli, "%zu run%s to %s end", running, running == 1 ? " goes on" : "s go on",
            running == 1 ? "its" : "their");
    if (p->is_dry_run)
        cli_say(p->cli, "Nothing changed.");
    else
        cli_say(p->cli, "Undo:  stint resume %s", p->name);
}

static void say_json(const struct pausing *p, const struct pause_found *found, size_t running)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const struct pause_state *is = found->is_changed ? &found->is : &found->was;
    struct json j;
    json_init(&j, &text);
    pausing_json_begin(&j, "stint.pause/1", p);
    json_bool(&j, "changed", found->is_changed && !p->is_dry_run);
    json_bool(&j, "was_paused", found->was.is_paused);
    json_str(&j, "reason", is->reason);
    json_time(&j, "until", is->until_wall_ms);
    json_int(&j, "running", (int64_t)running);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static enum cli_exit check_usage(const struct args *args)
{
    const char *reason = args_text(args, "reason");
    if (args_number(args, "for", -1) == 0)
        return cli_fail(CLI_USAGE, "--for 0 is no pause; give a time: --for 1h");
    if (args_number(args, "for", -1) > FOR_MAX_MS)
        return cli_fail(CLI_USAGE,
            "--for is longer than ten years; leave it out: then it lasts until "
            "stint resume");
    if (reason && (strlen(reason) > REASON_MAX || !*reason))
        return cli_fail(CLI_USAGE, "--reason is %s; give 1 to %d bytes of text",
            *reason ? "too long" : "empty", REASON_MAX);
    if (reason && !text_is_utf8(reason, strlen(reason)))
        return cli_fail(CLI_USAGE, "--reason is not valid UTF-8");
    return CLI_OK;
}

static struct pause_wish wish_of(const struct pausing *p)
{
    int64_t for_ms = args_number(p->cli->args, "for", -1);
    return (struct pause_wish){
        .target = p->target,
        .reason = args_text(p->cli->args, "reason"),
        .has_until = for_ms > 0,
        .until_wall_ms = for_ms > 0 ? clock_wall_ms() + for_ms : 0,
        .uid = (int64_t)getuid(),
    };
}

static enum cli_exit run(struct cli *cli)
{
    struct pausing p;
    struct pause_found found CLEANUP(pause_found_fini) = {.is_changed = false};
    struct err err = {""};
    enum cli_exit code = check_usage(cli->args);
    if (code == CLI_OK)
        code = pausing_open(cli, &p);
    if (code)
        return code;
    struct pause_wish wish = wish_of(&p);
    enum rc rc = p.is_dry_run
                     ? store_pause_plan(p.is_known ? cli->store : NULL, &wish, &found, &err)
                     : store_pause(cli->store, &wish, &found, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    size_t running = found.claims_len;
    if (!p.is_dry_run)
        code = await_begun(cli, &found);
    if (cli->is_json)
        say_json(&p, &found, running);
    else
        say_text(&p, &found, running);
    return code;
}

static const struct flag flags[] = {
    {.name = "for",
        .type = FLAG_DURATION,
        .value = "DURATION",
        .help = "resume by itself after so long (default: until stint resume)"},
    {.name = "reason",
        .type = FLAG_TEXT,
        .value = "TEXT",
        .help = "why: shown by status, kept in the events"},
    FLAG_DRY_RUN,
    {.name = NULL},
};

const struct command command_pause = {
    .name = "pause",
    .group = GROUP_ACT,
    .usage = "JOB|JOB.STAGE [--for DURATION] [--reason TEXT] [-n]",
    .help = "start nothing new in a job, or in one stage of it",
    .text = "When it returns, nothing new starts there; what runs goes on to its end. The pause\n"
            "outlives pools. Paused already: a new --for or --reason takes its place.\n\n"
            "  stint pause news\n"
            "  stint pause news.fetch --for 2h --reason 'the site is down'\n",
    .flags = flags,
    .words = {WORD_JOB_STAGE},
    .words_min = 1,
    .words_max = 1,
    .needs = NEED_CONFIG,
    .run = run,
};
