#include "cli/acting.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/store/ending.h"

#define SAY_GAP_NS (10 * NS_PER_S)
#define DRAW_GAP_NS (NS_PER_S / 10)
#define STAGES_SHOWN 6

struct acting {
    struct cli *cli;
    const struct acting_words *words;
    const struct filtering *f;
    struct act_options opts;
    struct selection *sel;
    struct act_report report;
    struct undo undo;
    struct interrupt interrupt;
    int64_t said_mono_ns;
    bool is_drawn;
};

/* ---- what is said ---- */

/* "187 stage runs (fetch)", "3 stage runs (fetch 2, parse 1)". */
static void add_count(const struct acting *a, int64_t n, struct buf *out)
{
    char count[32];
    size_t len, shown = 0, kinds = 0;
    struct select_stage *stages = selection_stages(a->sel, &len);
    for (size_t i = 0; i < len; i++)
        kinds += stages[i].marked > 0;
    buf_addf(out, "%s stage run%s (", text_count(n, count, sizeof(count)), n == 1 ? "" : "s");
    for (size_t i = 0; i < len && shown < STAGES_SHOWN; i++) {
        if (stages[i].marked == 0)
            continue;
        buf_addf(out, "%s%s", shown++ ? ", " : "", stages[i].stage);
        if (kinds > 1)
            buf_addf(out, " %s", text_count(stages[i].marked, count, sizeof(count)));
    }
    buf_adds(out, kinds > shown ? ", …)" : ")");
}

static void say_left_out(const struct acting *a)
{
    char count[32];
    if (a->report.left_out > 0)
        cli_say(a->cli, "%s left as %s: no longer in the configuration",
            text_count(a->report.left_out, count, sizeof(count)),
            a->report.left_out == 1 ? "it is" : "they are");
}

static void print_json(const struct acting *a, bool is_dry_run)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    size_t len;
    struct select_stage *stages = selection_stages(a->sel, &len);
    json_init(&j, &text);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.act/1");
    json_str(&j, "act", a->words->infinitive);
    json_bool(&j, "dry_run", is_dry_run);
    json_int(&j, "changed", a->report.changed);
    json_int(&j, "running", a->report.running);
    json_int(&j, "left_out", a->report.left_out);
    json_open_array(&j, "stages");
    for (size_t i = 0; i < len; i++) {
        if (stages[i].marked == 0)
            continue;
        json_open_object(&j, NULL);
        json_str(&j, "job", stages[i].job);
        json_str(&j, "stage", stages[i].stage);
        json_int(&j, "changed", stages[i].marked);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static void say_result(const struct acting *a)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    char count[32];
    if (a->cli->is_json) {
        print_json(a, false);
    } else if (!a->cli->is_quiet) {
        buf_addf(&text, "%s ", a->words->past);
        add_count(a, a->report.changed, &text);
        buf_addc(&text, '\n');
        cli_print(&text);
        (void)fflush(stdout);
    }
    if (a->report.running > 0)
        cli_say(a->cli, "%s of them ran: %s", text_count(a->report.running, count, sizeof(count)),
            a->cli->presence == POOL_RUNNING ? "what they started is ended now"
                                             : "no pool is running, so nothing is left of them");
    say_left_out(a);
    undo_say(&a->undo, a->cli, a->sel);
    if (a->words->act == ACT_RETRY)
        cli_mention_no_pool(a->cli);
}

/* ---- looking only ---- */

/* Words about jobs, stages and statuses only: the counts know. */
static int64_t count_known(struct acting *a)
{
    size_t len;
    int64_t n = 0;
    struct select_stage *stages = selection_stages(a->sel, &len);
    for (size_t i = 0; i < len; i++) {
        int64_t found = selection_stage_count(a->sel, &stages[i], STATUS_COUNT);
        if (act_leaves_out(&a->opts, &stages[i])) {
            a->report.left_out += found;
            continue;
        }
        n += stages[i].marked = found;
        a->report.running += selection_stage_count(a->sel, &stages[i], STATUS_IN_PROGRESS);
    }
    return n;
}

static enum rc count(struct acting *a, int64_t *ret_n, struct err *err)
{
    if (selection_known_count(a->sel) >= 0) {
        *ret_n = count_known(a);
        return RC_OK;
    }
    struct run_row row;
    enum rc rc;
    int64_t n = 0;
    while ((rc = selection_next(a->sel, &row, err)) == RC_ROW) {
        if (act_leaves_out(&a->opts, row.stage)) {
            a->report.left_out++;
        } else {
            n++;
            row.stage->marked++;
            a->report.running += row.s.status == STATUS_IN_PROGRESS;
        }
    }
    *ret_n = n;
    return rc == RC_DONE ? RC_OK : rc;
}

static enum cli_exit look(struct acting *a, int64_t *ret_n)
{
    struct err err = {""};
    enum rc rc =
        selection_open(a->cli->store, &a->f->filter, act_statuses(a->words->act), &a->sel, &err);
    if (rc == RC_OK)
        rc = count(a, ret_n, &err);
    return rc ? cli_fail_rc(rc, &err) : CLI_OK;
}

static void look_away(struct acting *a)
{
    selection_close(a->sel);
    a->sel = NULL;
    a->report = (struct act_report){.changed = 0};
}

/* There are some, but not in a status that this act is about. */
static enum cli_exit say_nothing(const struct acting *a)
{
    say_left_out(a);
    if (a->report.left_out > 0)
        return CLI_NO_MATCH;
    struct selection *any CLEANUP(cleanup_selection) = NULL;
    struct run_row row;
    struct err err = {""};
    if (a->cli->store && a->f->filter.len > 0 &&
        selection_open(a->cli->store, &a->f->filter, UINT32_MAX, &any, &err) == RC_OK &&
        selection_next(any, &row, &err) == RC_ROW) {
        cli_say(a->cli, "nothing to %s: none of what matches is %s", a->words->infinitive,
            a->words->concerns);
        return CLI_NO_MATCH;
    }
    return filtering_say_nothing(a->cli, a->f);
}

static enum cli_exit dry_run(struct acting *a)
{
    int64_t n = 0;
    enum cli_exit code = look(a, &n);
    if (code != CLI_OK)
        return code;
    if (n == 0)
        return say_nothing(a);
    a->report.changed = n;
    if (a->cli->is_json) {
        print_json(a, true);
        return CLI_OK;
    }
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    buf_addf(&text, "would %s ", a->words->infinitive);
    add_count(a, n, &text);
    buf_adds(&text, ". Nothing changed.\n");
    cli_print(&text);
    say_left_out(a);
    return CLI_OK;
}

/* ---- asking ---- */

/* One item by its name is no bulk act. */
static bool is_bulk(const struct acting *a)
{
    return !filter_exactly(&a->f->filter, FILTER_JOB) || !filter_exactly(&a->f->filter, FILTER_KEY);
}

static bool is_yes(void)
{
    char line[16];
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static enum cli_exit ask(struct acting *a)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    int64_t n = 0;
    enum cli_exit code = look(a, &n);
    if (code == CLI_OK && n == 0)
        code = say_nothing(a);
    if (code != CLI_OK)
        return code;
    add_count(a, n, &text);
    look_away(a);
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return cli_fail(CLI_USAGE,
            "this would %s %s; without a terminal to ask on, say yes with -y (-n only looks)",
            a->words->infinitive, buf_str(&text));
    struct buf question CLEANUP(buf_fini) = BUF_INIT;
    buf_addf(&question, "%s %s? [y/N] ", a->words->infinitive, buf_str(&text));
    (void)sys_write_all(STDERR_FILENO, question.data, question.len);
    if (is_yes())
        return CLI_OK;
    cli_say(a->cli, "Nothing changed.");
    return CLI_FAILED;
}

/* ---- doing ---- */

static void clear_progress(struct acting *a)
{
    if (a->is_drawn)
        (void)sys_write_all(STDERR_FILENO, "\r\x1b[K", 4);
    a->is_drawn = false;
}

static void show_progress(struct acting *a)
{
    char count[32];
    struct buf line CLEANUP(buf_fini) = BUF_INIT;
    int64_t now = clock_mono_ns();
    if (a->cli->is_quiet ||
        now - a->said_mono_ns < (a->cli->is_terminal ? DRAW_GAP_NS : SAY_GAP_NS))
        return;
    a->said_mono_ns = now;
    buf_addf(&line, "%s%s %s so far%s", a->cli->is_terminal ? "\r\x1b[K" : "", a->words->past,
        text_count(a->report.changed, count, sizeof(count)), a->cli->is_terminal ? "" : "\n");
    (void)sys_write_all(STDERR_FILENO, line.data, line.len);
    a->is_drawn = a->cli->is_terminal;
}

/* Whoever may take up the work, and whoever has lost it, is told at once. */
static void tell_pool(struct acting *a, const struct act_report *before)
{
    cli_wake(a->cli, a->report.claimable - before->claimable);
    if (a->report.running > before->running && a->cli->presence == POOL_RUNNING &&
        cli_ask(a->cli, "look", NULL, NULL))
        return; /* their next heartbeat finds it as well */
}

/* A bite that is under way has changed nothing. */
static void check_interrupt(struct acting *a)
{
    int signum = interrupt_came(&a->interrupt);
    if (!signum)
        return;
    clear_progress(a);
    if (a->report.changed > 0) {
        struct buf text CLEANUP(buf_fini) = BUF_INIT;
        add_count(a, a->report.changed, &text);
        cli_say(a->cli, "stopped: %s %s. To go on, run the same command again", a->words->past,
            buf_str(&text));
        undo_say(&a->undo, a->cli, a->sel);
    } else {
        cli_say(a->cli, "stopped: nothing was changed");
    }
    interrupt_end(&a->interrupt, signum);
}

static void on_busy(void *ctx)
{
    check_interrupt(ctx);
}

static enum cli_exit act(struct acting *a)
{
    struct err err = {""};
    enum rc rc = undo_look(&a->undo, a->cli->store, a->f, &a->words->undo, &err);
    if (rc == RC_OK)
        rc = selection_open(
            a->cli->store, &a->f->filter, act_statuses(a->words->act), &a->sel, &err);
    a->said_mono_ns = clock_mono_ns();
    while (rc == RC_OK) {
        struct act_report before = a->report;
        rc = act_bite(a->sel, a->cli->store, &a->opts, &a->report, &err);
        tell_pool(a, &before);
        cli_checkpoint(a->cli);
        if (rc != RC_OK)
            break;
        show_progress(a);
        check_interrupt(a);
    }
    clear_progress(a);
    if (rc == RC_DONE)
        return CLI_OK;
    char n[32];
    if (a->report.changed > 0)
        cli_say(a->cli, "%s %s; run the same command again for the rest", a->words->past,
            text_count(a->report.changed, n, sizeof(n)));
    return cli_fail_rc(rc, &err);
}

static enum cli_exit act_and_say(struct acting *a)
{
    enum cli_exit code = CLI_OK;
    if (is_bulk(a) && !args_has(a->cli->args, "yes"))
        code = ask(a);
    store_close(a->cli->store); /* for reading */
    a->cli->store = NULL;
    if (code != CLI_OK)
        return code;
    struct err err = {""};
    if (interrupt_take(&a->interrupt, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    a->cli->hooks = (struct store_hooks){.ctx = a, .on_busy = on_busy};
    code = cli_open_write(a->cli);
    if (code != CLI_OK)
        return code;
    a->opts.catalog = a->cli->catalog;
    code = act(a);
    if (code != CLI_OK)
        return code;
    if (a->report.changed == 0)
        return say_nothing(a);
    say_result(a);
    return CLI_OK;
}

enum cli_exit acting_run(struct cli *cli, const struct acting_words *words)
{
    struct filtering f CLEANUP(filtering_fini) = FILTERING_INIT;
    enum cli_exit code = filtering_read(cli, &f);
    if (code != CLI_OK)
        return code;
    if (f.filter.len == 0)
        return cli_fail(CLI_USAGE,
            "an empty filter would mean everything; name it, as in: stint %s "
            "job:NAME",
            words->infinitive);
    if (!cli->store)
        return filtering_say_nothing(cli, &f);
    struct acting a = {
        .cli = cli,
        .words = words,
        .f = &f,
        .opts = {.act = words->act, .uid = (int64_t)getuid()},
        .undo = UNDO_INIT,
        .interrupt = {.fd = -1},
    };
    code = args_has(cli->args, "dry-run") ? dry_run(&a) : act_and_say(&a);
    (void)interrupt_came(&a.interrupt); /* it is done, and was said */
    interrupt_give_back(&a.interrupt);
    store_close(cli->store); /* its hooks know of a */
    cli->store = NULL;
    selection_close(a.sel);
    undo_fini(&a.undo);
    return code;
}
