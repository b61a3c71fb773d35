/* ls: the stage runs that a filter means, as a table or NDJSON. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/filtering.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/ipc/claim.h"
#include "common/store/ending.h"
#include "common/store/select.h"

#define LIMIT_PRESET 50
#define COUNT_MAX 10000
#define FLUSH_BYTES 65536
#define KEY_MIN 24

static const struct table_column columns[] = {{"JOB", false}, {"KEY", false}, {"STAGE", false},
    {"STATUS", false}, {"ATTEMPTS", true}, {"AGE", true}, {"ERROR", false}};

struct listing {
    struct cli *cli;
    struct buf out;
    struct table table;
    int64_t rows, now_wall_ms;
};

/* "in 41s: HTTP 429": what waits says until when. */
static void add_error(struct listing *l, const struct run_row *row)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    char when[32];
    int64_t left = row->next_attempt_wall_ms - l->now_wall_ms;
    if (row->s.status == STATUS_RETRY_LATER)
        buf_addf(&text, "%s%s%s", left > 0 ? "in " : "",
            left > 0 ? show_age(l->now_wall_ms, row->next_attempt_wall_ms, when, sizeof(when))
                     : "now",
            row->s.error ? ": " : "");
    buf_adds(&text, row->s.error ? row->s.error : "");
    table_add(&l->table, text.len > 0 ? buf_str(&text) : NULL, TONE_NONE);
}

/* Keys often begin alike: the middle is left out. */
static char *cut_key(const char *key, size_t room)
{
    if (text_width(key) <= room)
        return xstrdup(key);
    char *head CLEANUP_FREE = text_cut(key, room / 3);
    const char *tail = key;
    while (*tail && text_width(tail) > room - room / 3) {
        size_t step = text_utf8_step(tail, strlen(tail));
        tail += step ? step : 1;
    }
    return xasprintf("%s%s", head, tail);
}

/* A key may have 512 bytes: on a terminal it leaves room for the others. */
static void add_key(struct listing *l, const char *key)
{
    size_t room = l->cli->width / 3 > KEY_MIN ? l->cli->width / 3 : KEY_MIN;
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, key, strlen(key));
    char *cut CLEANUP_FREE = l->cli->width > 0 ? cut_key(buf_str(&shown), room) : buf_take(&shown);
    table_add(&l->table, cut, TONE_NONE);
}

static void add_row(struct listing *l, const struct run_row *row)
{
    char age[32];
    table_add(&l->table, row->s.job, TONE_NONE);
    add_key(l, row->s.key);
    table_add(&l->table, row->s.stage, TONE_NONE);
    table_add(&l->table, status_name(row->s.status), status_tone(row->s.status));
    table_add_count(&l->table, row->s.attempts, TONE_NONE);
    table_add(
        &l->table, show_age(row->s.added_wall_ms, l->now_wall_ms, age, sizeof(age)), TONE_NONE);
    add_error(l, row);
}

static void add_json(struct listing *l, const struct run_row *row)
{
    struct json j;
    char claim[CLAIM_TEXT_MAX];
    json_init(&j, &l->out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.run/1");
    json_int(&j, "id", row->id);
    json_str(&j, "job", row->s.job);
    json_str(&j, "key", row->s.key);
    json_str(&j, "stage", row->s.stage);
    json_str(&j, "status", status_name(row->s.status));
    json_int(&j, "attempts", row->s.attempts);
    json_int(&j, "interruptions", row->s.interruptions);
    json_int(&j, "snoozes", row->snoozes);
    json_int(&j, "priority", row->s.priority);
    json_str(&j, "source", row->s.source);
    json_str(&j, "claim", row->claim ? claim_format(row->claim, claim) : NULL);
    json_time(&j, "added_at", row->s.added_wall_ms);
    json_time(&j, "changed_at", row->s.changed_wall_ms);
    json_time(&j, "started_at", row->started_wall_ms);
    json_time(&j, "ended_at", row->ended_wall_ms);
    json_time(&j, "next_attempt_at", row->next_attempt_wall_ms);
    if (row->elapsed_ms < 0)
        json_add_null(&j, "elapsed_s");
    else
        json_num(&j, "elapsed_s", (double)row->elapsed_ms / 1000);
    json_str(&j, "error", row->s.error);
    json_end_object(&j);
    buf_addc(&l->out, '\n');
}

static void print(struct listing *l)
{
    if (!l->cli->is_json && l->table.cells_len > 0)
        table_flush(&l->table, &l->out);
    cli_print(&l->out);
    buf_reset(&l->out);
}

static enum rc list(struct listing *l, struct selection *sel, int64_t limit, struct err *err)
{
    struct run_row row;
    enum rc rc = RC_ROW;
    while (l->rows < limit && (rc = selection_next(sel, &row, err)) == RC_ROW) {
        l->rows++;
        if (l->cli->is_json)
            add_json(l, &row);
        else
            add_row(l, &row);
        if (l->out.len >= FLUSH_BYTES || table_is_full(&l->table))
            print(l);
    }
    print(l);
    (void)fflush(stdout); /* what is there is shown before anything is counted */
    return rc;
}

/* The list was cut: of how many? Exactly up to COUNT_MAX, and beyond where the counts tell. */
static enum rc say_rest(struct listing *l, struct selection *sel, struct err *err)
{
    char shown[32], all[32];
    struct run_row row;
    int64_t n = selection_known_count(sel);
    bool is_exact = n >= 0;
    enum rc rc = RC_ROW;
    if (!is_exact) {
        for (n = l->rows; n <= COUNT_MAX && (rc = selection_next(sel, &row, err)) == RC_ROW;)
            n++;
        is_exact = rc == RC_DONE;
    }
    if (rc != RC_ROW && rc != RC_DONE)
        return rc;
    if (is_exact && n <= l->rows)
        return RC_OK;
    cli_say(l->cli, "%s of %s%s stage runs; more by --limit N, or a narrower filter",
        text_count(l->rows, shown, sizeof(shown)), is_exact ? "" : "more than ",
        text_count(is_exact ? n : COUNT_MAX, all, sizeof(all)));
    return RC_OK;
}

static enum cli_exit list_all(struct listing *l, const struct filtering *f)
{
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct err err = {""};
    int64_t limit = args_number(l->cli->args, "limit", l->cli->is_json ? INT64_MAX : LIMIT_PRESET);
    enum rc rc = selection_open(l->cli->store, &f->filter, UINT32_MAX, &sel, &err);
    if (rc == RC_OK)
        rc = list(l, sel, limit, &err);
    if (rc == RC_ROW && !l->cli->is_json)
        rc = say_rest(l, sel, &err);
    if (rc != RC_OK && rc != RC_ROW && rc != RC_DONE)
        return cli_fail_rc(rc, &err);
    return l->rows > 0 ? CLI_OK : filtering_say_nothing(l->cli, f);
}

static enum cli_exit run(struct cli *cli)
{
    struct filtering f CLEANUP(filtering_fini) = FILTERING_INIT;
    struct listing l = {.cli = cli, .now_wall_ms = clock_wall_ms()};
    enum cli_exit code = filtering_read(cli, &f);
    if (code != CLI_OK)
        return code;
    if (!cli->store)
        return filtering_say_nothing(cli, &f);
    table_init(&l.table, columns, sizeof(columns) / sizeof(columns[0]), cli->width, cli->has_color);
    code = list_all(&l, &f);
    table_fini(&l.table);
    buf_fini(&l.out);
    return code;
}

static const struct flag flags[] = {
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = LIMIT_MAX,
        .help = "at most N (default: 50; all of them in JSON)"},
    {.name = NULL},
};

const struct command command_ls = {
    .name = "ls",
    .group = GROUP_LOOK,
    .usage = "[FILTER…] [--limit N]",
    .help = "stage runs: what is where, and how it stands",
    .text = "One row a stage run; several arguments are one filter. Works without a pool. Exit "
            "status 5\n"
            "if nothing matches.\n\n" FILTER_HELP "\n"
            "  stint ls status:failed,exhausted\n"
            "  stint ls 'job:news stage:fetch error:timeout attempts>=3'\n"
            "  stint ls --json 'changed<10m -status:done'\n",
    .flags = flags,
    .words = {WORD_FILTER, WORD_FILTER},
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
