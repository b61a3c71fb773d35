/* logs: what handlers said: of failed attempts by their events, of running ones out of the pool's
 * memory; -f goes on as they speak. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/filtering.h"
#include "cli/live_view.h"
#include "cli/log_entries.h"
#include "cli/log_lines.h"
#include "cli/loop.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/filter/match.h"
#include "common/store/select.h"

#define LIMIT_PRESET 20
#define LOOK_NS NS_PER_S             /* is the pool still there, does anybody read? */
#define NO_WORKER_NS (NS_PER_S / 10) /* between two tries to find one */

struct logs {
    struct cli *cli;
    const struct filtering *f;
    struct filter live; /* the words that tell about running attempts; terms borrowed of f */
    struct log_entries entries;
    struct log_lines lines;
    int pool_fd; /* pidfd of the supervisor */
    bool is_first;
};

/* What a ring does not know of an attempt is not asked of it. */
static void take_live_words(struct logs *l)
{
    const struct filter *all = &l->f->filter;
    const unsigned known = 1u << FILTER_JOB | 1u << FILTER_STAGE | 1u << FILTER_KEY |
                           1u << FILTER_STATUS | 1u << FILTER_ATTEMPTS;
    l->live.terms = xcalloc(all->len + 1, sizeof(*l->live.terms));
    for (size_t i = 0; i < all->len; i++)
        if (known >> all->terms[i].field & 1u)
            l->live.terms[l->live.len++] = all->terms[i];
}

static void on_lines(void *ctx, const struct live_lines *lines)
{
    struct logs *l = ctx;
    const struct filter_subject subject = {
        .job = lines->job,
        .stage = lines->stage,
        .key = lines->key,
        .status = STATUS_IN_PROGRESS,
        .attempts = lines->attempt,
    };
    if (!filter_matches(&l->live, &subject, clock_wall_ms()) ||
        (l->is_first && log_entries_have_claim(&l->entries, lines->claim)))
        return;
    log_lines_add(&l->lines, lines);
}

static void print(struct logs *l)
{
    cli_print(&l->lines.out);
    buf_reset(&l->lines.out);
}

static void read_live(struct logs *l, struct live_view *view)
{
    uint64_t lost = live_view_read(view, on_lines, l);
    l->is_first = false;
    print(l);
    if (lost > 0)
        cli_say(
            l->cli, "%llu bytes came faster than they could be shown", (unsigned long long)lost);
}

/* False: the pool has ended, or nobody reads any more. */
static bool is_wanted(const struct logs *l, int64_t until_mono_ns)
{
    struct pollfd fds[] = {
        {.fd = l->pool_fd, .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
    return fflush(stdout) == 0 && !loop_wait(fds, 2, until_mono_ns);
}

static enum rc open_view(
    const struct logs *l, struct live_view *view, bool is_patient, struct err *err)
{
    enum rc rc;
    while ((rc = live_view_open(l->cli, view, err)) == RC_NOTFOUND && is_patient)
        if (!is_wanted(l, clock_mono_ns() + NO_WORKER_NS))
            break;
    return rc;
}

static enum rc show_live(struct logs *l, bool is_following, struct err *err)
{
    struct live_view view CLEANUP(live_view_close) = {.live = NULL};
    enum rc rc = open_view(l, &view, is_following, err);
    if (rc != RC_OK)
        return rc == RC_NOTFOUND ? RC_OK : rc;
    read_live(l, &view);
    while (is_following && is_wanted(l, 0)) {
        live_view_wait(&view, clock_mono_ns() + LOOK_NS);
        read_live(l, &view);
    }
    return RC_OK;
}

static enum rc show_ended(struct logs *l, struct err *err)
{
    int64_t limit = args_number(l->cli->args, "limit", LIMIT_PRESET);
    enum rc rc = l->cli->store
                     ? log_entries_take(&l->entries, l->cli->store, &l->f->filter, limit, err)
                     : RC_OK;
    for (size_t i = 0; rc == RC_OK && i < l->entries.len; i++) {
        log_lines_add_entry(&l->lines, &l->entries.list[i]);
        print(l);
    }
    return rc;
}

/* The filter may mean nothing that there is. */
static bool is_about_nothing(const struct logs *l)
{
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct run_row row;
    if (l->cli->store == NULL)
        return true;
    return selection_open(l->cli->store, &l->f->filter, UINT32_MAX, &sel, NULL) == RC_OK &&
           selection_next(sel, &row, NULL) == RC_DONE;
}

static enum cli_exit show(struct logs *l)
{
    const bool is_following = args_has(l->cli->args, "follow");
    const bool has_pool = l->cli->presence == POOL_RUNNING;
    struct err err = {""};
    enum rc rc = show_ended(l, &err);
    if (rc == RC_OK && has_pool)
        rc = show_live(l, is_following, &err);
    if (rc != RC_OK)
        return cli_fail_rc(rc, &err);
    if (is_following && !has_pool)
        return cli_fail(CLI_NO_POOL, "no pool is running, so no handler says anything; start one: "
                                     "stint run");
    if (is_following)
        cli_say(l->cli, "the pool has ended");
    if (l->lines.count > 0 || is_following)
        return CLI_OK;
    if (is_about_nothing(l))
        return filtering_say_nothing(l->cli, l->f);
    cli_say(
        l->cli, "nothing was said: output is kept of failed attempts, and shown of running ones");
    return CLI_NO_MATCH;
}

static enum cli_exit run(struct cli *cli)
{
    struct filtering f CLEANUP(filtering_fini) = FILTERING_INIT;
    enum cli_exit code = filtering_read(cli, &f);
    if (code != CLI_OK)
        return code;
    struct logs l = {.cli = cli, .f = &f, .pool_fd = -1, .is_first = true};
    log_lines_init(&l.lines, cli->is_json, cli->has_color);
    take_live_words(&l);
    if (cli->presence == POOL_RUNNING)
        l.pool_fd = sys_pidfd_open((pid_t)pool_number(cli, "pid", 0));
    code = show(&l);
    if (l.pool_fd >= 0)
        (void)close(l.pool_fd);
    free(l.live.terms);
    log_entries_fini(&l.entries);
    log_lines_fini(&l.lines);
    return code;
}

static const struct flag flags[] = {
    {.name = "follow", .letter = 'f', .type = FLAG_BOOL, .help = "go on as handlers speak"},
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = 100000,
        .help = "of the newest N failed attempts (default 20)"},
    {.name = NULL},
};

const struct command command_logs = {
    .name = "logs",
    .group = GROUP_LOOK,
    .usage = "[FILTER…] [--limit N] [-f]",
    .help = "what handlers said: standard error, log messages, output of failed attempts",
    .text = "Of attempts that failed: the ends of standard error, of log messages and of standard\n"
            "output, as kept by stderr_tail, and how the attempt ended. Of running ones: the\n"
            "newest lines of standard error and log messages, which each worker keeps in memory\n"
            "(64 KiB). Of a handler that talks faster than 16 KiB a turn the middle is left out;\n"
            "the pool never waits for who looks on. Of a running attempt, only the words job:,\n"
            "stage:, key:, status: and attempts: of a filter are looked at. -f ends with the\n"
            "pool. Exit status 5 if nothing was said.\n\n" FILTER_HELP "\n"
            "  stint logs job:news -f\n"
            "  stint logs 'job:news stage:fetch error:timeout' --limit 100\n"
            "  stint logs --json https://example.com/a/9\n",
    .flags = flags,
    .words = {WORD_FILTER, WORD_FILTER},
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
