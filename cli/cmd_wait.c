/* wait: until a job, or all of them, is at rest. Woken by commits, never by a clock. */
#include <string.h>

#include "cli/commands.h"
#include "cli/finding.h"
#include "cli/follow.h"
#include "cli/gone.h"
#include "cli/loop.h"
#include "cli/notes.h"
#include "cli/overview.h"
#include "cli/pool.h"
#include "cli/progress.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/store/settle.h"

struct waiting {
    struct cli *cli;
    const char *job; /* NULL: all */
    struct follow follow;
    struct progress progress;
    int64_t deadline_mono_ns;
    bool has_mentioned;
};

enum verdict { VERDICT_MOVING, VERDICT_DONE, VERDICT_UNDONE, VERDICT_STUCK };

/* only NULL: all that the configuration has. */
static bool is_meant(const char *only, const struct job_view *job)
{
    return only ? strcmp(only, job->name) == 0 : job->is_configured;
}

static enum verdict judge(const struct overview *view, const char *only, const struct rest *rest)
{
    bool is_finding = false, is_stuck = false;
    int64_t moving = 0, undone = 0;
    for (size_t i = 0; i < view->len; i++) {
        const struct job_view *job = &view->jobs[i];
        if (!is_meant(only, job))
            continue;
        is_finding = is_finding || job->is_finding;
        is_stuck = is_stuck || job_is_stuck(job);
        if (!job_is_stuck(job))
            moving += job_moving(job);
        undone += job_undone(job) + (only && job->failed_finding > 0);
    }
    if (!only)
        undone += view->failed_discoveries;
    /* What lies in the inbox will be some item soon: rest knows of it. */
    if (is_finding || moving > 0 || (rest->moving > 0 && !is_stuck))
        return VERDICT_MOVING;
    if (is_stuck)
        return VERDICT_STUCK;
    return undone > 0 ? VERDICT_UNDONE : VERDICT_DONE;
}

static void say_paused(const struct job_view *job)
{
    for (size_t i = 0; i < job->stages_len; i++) {
        const struct stage_view *stage = &job->stages[i];
        if (job->is_paused) {
            (void)cli_fail(CLI_FAILED, "job %s is paused: %s", job->name, stage->reason);
            return;
        }
        if (stage->is_paused)
            (void)cli_fail(
                CLI_FAILED, "stage %s.%s is paused: %s", job->name, stage->name, stage->reason);
    }
}

static enum cli_exit say_stuck(const struct waiting *w, const struct overview *view)
{
    for (size_t i = 0; i < view->len; i++)
        if (is_meant(w->job, &view->jobs[i]))
            say_paused(&view->jobs[i]);
    return cli_fail(CLI_FAILED, "all that is left waits for that; see: stint status");
}

static enum cli_exit conclude(
    const struct waiting *w, enum verdict verdict, const struct overview *view)
{
    const char *job = w->job ? w->job : "all work";
    int64_t undone = 0;
    char n[32];
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    if (verdict == VERDICT_STUCK)
        return say_stuck(w, view);
    if (verdict == VERDICT_DONE) {
        cli_say(w->cli, "%s: all done", job);
        if (!w->job && gone_add_note(&text, view))
            cli_say(w->cli, "%s", buf_str(&text));
        return CLI_OK;
    }
    for (size_t i = 0; i < view->len; i++)
        if (is_meant(w->job, &view->jobs[i]))
            undone += job_undone(&view->jobs[i]);
    if (undone == 0) {
        (void)notes_add_failed_finding(&text, view, w->job);
        return cli_fail(CLI_FAILED,
            "%s is at rest, but %s; see: stint events --event attempt.failed", job, buf_str(&text));
    }
    return cli_fail(CLI_FAILED, "%s is at rest, but %s stage run%s not done; see: stint status",
        job, text_count(undone, n, sizeof(n)), undone == 1 ? " is" : "s are");
}

/* outcome: "done", "undone" (at rest all the same), "paused" (all that is left waits for that),
 * "timeout". */
static void print_json(const struct waiting *w, const char *outcome, const struct overview *view)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    int64_t undone = 0, moving = 0;
    for (size_t i = 0; i < view->len; i++)
        if (is_meant(w->job, &view->jobs[i])) {
            undone += job_undone(&view->jobs[i]);
            moving += job_moving(&view->jobs[i]);
        }
    json_init(&j, &text);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.wait/1");
    json_str(&j, "job", w->job);
    json_str(&j, "outcome", outcome);
    json_bool(&j, "at_rest", moving == 0);
    json_int(&j, "undone", undone);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static void print_conclusion(
    const struct waiting *w, enum verdict verdict, const struct overview *view)
{
    static const char *const outcomes[] = {
        [VERDICT_DONE] = "done", [VERDICT_UNDONE] = "undone", [VERDICT_STUCK] = "paused"};
    if (w->cli->is_json)
        print_json(w, outcomes[verdict], view);
}

/* One look. *ret_is_over: then *ret_code is the end. */
static enum cli_exit look(struct waiting *w, bool *ret_is_over)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    struct rest rest = {0};
    struct err err = {""};
    *ret_is_over = true;
    enum rc rc = overview_take(w->cli->store, w->cli->config, &view, &err);
    const struct job_view *job = w->job ? overview_job(&view, w->job) : NULL;
    if (!rc)
        rc = store_rest(w->cli->store, job ? job->job_id : 0, &rest, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    enum verdict verdict = judge(&view, w->job, &rest);
    if (verdict == VERDICT_DONE || verdict == VERDICT_UNDONE) {
        if (finding_failed(w->cli->store, &view, &err))
            return cli_fail(CLI_FAILED, "%s", err.text);
        verdict = judge(&view, w->job, &rest);
    }
    if (verdict != VERDICT_MOVING) {
        progress_clear(&w->progress);
        print_conclusion(w, verdict, &view);
        return conclude(w, verdict, &view);
    }
    if (!w->has_mentioned)
        cli_mention_no_pool(w->cli);
    w->has_mentioned = true;
    if (clock_mono_ns() >= progress_due_ns(&w->progress))
        progress_draw(&w->progress, &view, w->job, clock_mono_ns());
    *ret_is_over = false;
    return CLI_OK;
}

static enum cli_exit wait_on(struct waiting *w)
{
    while (follow_wait(&w->follow, w->deadline_mono_ns)) {
        bool is_over;
        follow_looked(&w->follow, clock_mono_ns());
        enum cli_exit code = look(w, &is_over);
        if (is_over)
            return code;
    }
    progress_clear(&w->progress);
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    struct err err = {""};
    if (w->cli->is_json && !overview_take(w->cli->store, w->cli->config, &view, &err))
        print_json(w, "timeout", &view);
    return cli_fail(CLI_FAILED, "%s is not at rest yet: the time is up; see: stint status",
        w->job ? w->job : "all work");
}

static enum cli_exit run(struct cli *cli)
{
    const char *job = cli->args->words_len ? cli->args->words[0] : NULL;
    int64_t timeout_ms = args_number(cli->args, "timeout", -1);
    struct waiting w = {
        .cli = cli, .job = job, .follow = FOLLOW_INIT, .deadline_mono_ns = LOOP_NEVER};
    struct err err = {""};
    if (job && !gone_or_job(cli, job))
        return CLI_USAGE;
    if (timeout_ms >= 0 && timeout_ms < INT64_MAX / (2 * NS_PER_MS))
        w.deadline_mono_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
    enum cli_exit code = cli_await_store(cli, w.deadline_mono_ns);
    if (code != CLI_OK)
        return code;
    enum rc rc = follow_open(&w.follow, cli->config->pool.database, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    progress_init(&w.progress, cli->is_terminal, cli->is_quiet, cli->err_width);
    code = wait_on(&w);
    progress_fini(&w.progress);
    follow_close(&w.follow);
    return code;
}

static const struct flag flags[] = {
    {.name = "timeout",
        .type = FLAG_DURATION,
        .value = "DURATION",
        .help = "give up after so long, with exit status 1"},
    {.name = NULL},
};

const struct command command_wait = {
    .name = "wait",
    .group = GROUP_WORK,
    .usage = "[JOB] [--timeout DURATION]",
    .help = "wait until a job, or all, is at rest",
    .text =
        "Exit status 0 when all is done or skipped, 1 if anything rests undone. With --json one "
        "object\n"
        "says how it ended: outcome (done, undone, paused, timeout), at_rest, undone (stage "
        "runs).\n",
    .flags = flags,
    .words = {WORD_JOB},
    .words_max = 1,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
