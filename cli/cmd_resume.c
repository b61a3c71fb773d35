/* resume: a paused job or stage goes on. */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/pausing.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/ipc/pool_mem.h"

/* What is paused there still: the job of a resumed stage, or stages of a resumed job. */
static enum rc list_others(const struct pausing *p, struct buf *out, struct err *err)
{
    const struct catalog_job *job = p->target.job;
    for (size_t i = 0; i <= p->job->stages_len; i++) {
        struct pause_state state CLEANUP(pause_state_fini) = {.is_paused = false};
        bool is_job = i == p->job->stages_len;
        struct pause_target other = {job, is_job ? NULL : &job->stages[i]};
        if (p->stage && !is_job)
            continue; /* its sisters are nobody's business here */
        if (!p->stage && is_job)
            continue;
        enum rc rc = store_pause_look(p->cli->store, &other, &state, err);
        if (rc)
            return rc;
        if (state.is_paused)
            buf_addf(out, "%s%s%s%s", out->len ? ", " : "", p->job->name, is_job ? "" : ".",
                is_job ? "" : p->job->stages[i].name);
    }
    return RC_OK;
}

static void say_text(const struct pausing *p, const struct pause_state *was, const char *others)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    buf_adds(&text, p->name);
    if (was->is_paused) {
        buf_adds(&text,
            p->is_dry_run ? " would be resumed; it is paused" : " is resumed; it was paused");
        pausing_add_state(&text, was);
    } else {
        buf_adds(&text, *others ? " itself is not paused" : " is not paused");
    }
    buf_addc(&text, '\n');
    if (!p->cli->is_quiet)
        cli_print(&text);
    if (*others)
        cli_say(p->cli, "paused still: %s    resume by that name: stint resume %.*s", others,
            (int)strcspn(others, ","), others);
    if (p->is_dry_run)
        cli_say(p->cli, "Nothing changed.");
    else if (was->is_paused)
        cli_mention_no_pool(p->cli);
}

static void say_json(const struct pausing *p, const struct pause_state *was)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    json_init(&j, &text);
    pausing_json_begin(&j, "stint.resume/1", p);
    json_bool(&j, "changed", was->is_paused && !p->is_dry_run);
    json_bool(&j, "was_paused", was->is_paused);
    json_str(&j, "reason", was->reason);
    json_time(&j, "until", was->until_wall_ms);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static enum rc act(
    const struct pausing *p, struct pause_state *was, struct buf *others, struct err *err)
{
    if (!p->is_known)
        return RC_OK; /* the database has never heard of it */
    enum rc rc = p->is_dry_run
                     ? store_pause_look(p->cli->store, &p->target, was, err)
                     : store_resume(p->cli->store, &p->target, (int64_t)getuid(), was, err);
    return rc ? rc : list_others(p, others, err);
}

static enum cli_exit run(struct cli *cli)
{
    struct pausing p;
    struct pause_state was CLEANUP(pause_state_fini) = {.is_paused = false};
    struct buf others CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    enum cli_exit code = pausing_open(cli, &p);
    if (code)
        return code;
    enum rc rc = act(&p, &was, &others, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (was.is_paused && !p.is_dry_run)
        cli_wake(cli, POOL_SLOTS_MAX);
    if (cli->is_json)
        say_json(&p, &was);
    else
        say_text(&p, &was, buf_str(&others));
    return !was.is_paused && others.len > 0 ? CLI_NO_MATCH : CLI_OK;
}

static const struct flag flags[] = {
    FLAG_DRY_RUN,
    {.name = NULL},
};

const struct command command_resume = {
    .name = "resume",
    .group = GROUP_ACT,
    .usage = "JOB|JOB.STAGE [-n]",
    .help = "go on with what is paused",
    .text = "Also ends the pause of a stage whose handler could not work, without waiting for its\n"
            "time. Exit status 5 if it is not paused, but a stage of it or its job is.\n\n"
            "  stint resume news.fetch\n",
    .flags = flags,
    .words = {WORD_JOB_STAGE},
    .words_min = 1,
    .words_max = 1,
    .needs = NEED_CONFIG,
    .run = run,
    .alias = "unpause",
};
