/* add: items by name, or out of a stream (add_stream.c), and the report of what became of them. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "cli/add_stream.h"
#include "cli/adding.h"
#include "cli/commands.h"
#include "cli/gone.h"
#include "cli/item_data.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"

/* Fewer in a second are a person's or a program's own pace. */
#define FAST_ENOUGH_TO_TELL 10000

static enum cli_exit swallow(struct adding *a)
{
    size_t bad;
    struct err err = {""};
    enum rc rc = adding_swallow(a, &bad, &err);
    return rc ? adding_fail(a, rc, bad, &err) : CLI_OK;
}

struct keys {
    struct adding *a;
    struct interrupt interrupt;
};

/* A bite that is under way has changed nothing. */
static void on_busy(void *ctx)
{
    struct keys *k = ctx;
    int signum = interrupt_came(&k->interrupt);
    if (signum)
        adding_stop(k->a, &k->interrupt, signum);
}

static enum cli_exit put_keys(struct keys *k, const char *data)
{
    const struct args *args = k->a->cli->args;
    enum cli_exit code = CLI_OK;
    for (size_t i = 1; i < args->words_len && code == CLI_OK; i++) {
        struct record record = {.key = args->words[i], .data = data};
        struct err err = {""};
        adding_put(k->a, &record);
        enum rc rc = text_check_key(record.key, strlen(record.key), &err);
        if (rc)
            return adding_fail(k->a, rc, k->a->bite.len - 1, &err);
        if (!adding_is_full(k->a))
            continue;
        code = swallow(k->a);
        on_busy(k);
    }
    return code == CLI_OK ? swallow(k->a) : code;
}

static enum cli_exit add_keys(struct adding *a)
{
    struct buf data CLEANUP(buf_fini) = BUF_INIT;
    struct keys k = {.a = a, .interrupt = {.fd = -1}};
    struct err err = {""};
    const char *text = args_text(a->cli->args, "data");
    enum cli_exit code = text ? item_data_read(text, &data) : CLI_OK;
    if (code != CLI_OK)
        return code;
    if (interrupt_take(&k.interrupt, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    a->ctx = &k;
    a->on_busy = on_busy;
    code = put_keys(&k, text ? buf_str(&data) : NULL);
    a->on_busy = NULL;
    (void)interrupt_came(&k.interrupt); /* all is there, and is said */
    interrupt_give_back(&k.interrupt);
    return code;
}

static enum cli_exit add_from(struct adding *a, const char *from)
{
    static const enum record_format formats[] = {
        FORMAT_JSONL, FORMAT_CSV, FORMAT_TSV, FORMAT_TEXT}; /* as input_words */
    enum record_format format = FORMAT_GUESS;
    if (args_has(a->cli->args, "format"))
        format = formats[args_number(a->cli->args, "format", 0)];
    return add_stream(a, from, format);
}

static void report_json(const struct adding *a)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    json_init(&j, &text);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.add/1");
    json_str(&j, "job", a->job->spec->name);
    json_bool(&j, "dry_run", a->opts.is_dry_run);
    json_int(&j, "items", adding_count(a));
    json_int(&j, "new", a->report.new_items);
    json_int(&j, "merged", a->report.merged);
    json_int(&j, "reopened", a->report.reopened);
    json_int(&j, "unchanged", a->report.unchanged);
    json_int(&j, "ended", a->report.ended);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static void add_part(struct buf *text, int64_t n, const char *what)
{
    char count[32];
    if (n > 0)
        buf_addf(text, "%s %s %s", text->len && text->data[text->len - 1] == ':' ? "" : ",",
            text_count(n, count, sizeof(count)), what);
}

/* "added to news: 1,000,000 items: 480,000 new, 520,000 unchanged"; how fast, where that is news.
 */
static void add_summary(const struct adding *a, int64_t took_ns, struct buf *text)
{
    const struct add_report *r = &a->report;
    int64_t n = adding_count(a);
    char count[32], time[32];
    buf_addf(text, "%s %s: %s item%s%s", a->opts.is_dry_run ? "would add to" : "added to",
        a->job->spec->name, text_count(n, count, sizeof(count)), n == 1 ? "" : "s", n ? ":" : "");
    add_part(text, r->new_items, "new");
    add_part(text, r->merged, "merged");
    add_part(text, r->reopened, "reopened");
    add_part(text, r->unchanged, "unchanged");
    if (took_ns >= NS_PER_S && n >= FAST_ENOUGH_TO_TELL)
        buf_addf(text, " (%s, %s/s)", text_duration(took_ns / NS_PER_MS, time, sizeof(time)),
            text_count(
                (int64_t)((double)n * (double)NS_PER_S / (double)took_ns), count, sizeof(count)));
    buf_addc(text, '\n');
}

static void report_text(const struct adding *a, int64_t took_ns)
{
    const struct add_report *r = &a->report;
    char count[32];
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    if (!a->cli->is_quiet)
        add_summary(a, took_ns, &text);
    cli_print(&text);
    if (r->ended > 0)
        cli_say(a->cli, "%s %s failed before: stint add %s … --retry",
            text_count(r->ended, count, sizeof(count)), r->ended == 1 ? "has" : "have",
            a->job->spec->name);
    if (a->opts.is_dry_run)
        cli_say(a->cli, "Nothing changed.");
    else
        cli_mention_no_pool(a->cli);
}

static enum cli_exit check_usage(const struct args *args)
{
    bool has_keys = args->words_len > 1;
    if (args_has(args, "from") && (has_keys || args_has(args, "data")))
        return cli_fail(
            CLI_USAGE, "--from brings keys and data: give no KEY and no --data with it");
    if (!args_has(args, "from") && !has_keys)
        return cli_fail(CLI_USAGE,
            "say what to add: stint add %s KEY…, or stint add %s --from FILE", args->words[0],
            args->words[0]);
    if (!args_has(args, "from") && args_has(args, "format"))
        return cli_fail(CLI_USAGE, "--format is about --from FILE");
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct args *args = cli->args;
    enum cli_exit code = check_usage(args);
    if (code != CLI_OK)
        return code;
    if (!gone_or_job(cli, args->words[0]))
        return CLI_USAGE;
    struct adding a = {
        .cli = cli,
        .opts = {.source = "manual",
            .wants_retry = args_has(args, "retry"),
            .is_dry_run = args_has(args, "dry-run")},
    };
    adding_watch_lock(&a);
    code = cli_open_write(cli);
    if (code != CLI_OK)
        return code;
    a.job = catalog_job(cli->catalog, args->words[0]);
    int64_t began_ns = clock_mono_ns();
    const char *from = args_text(args, "from");
    code = from ? add_from(&a, from) : add_keys(&a);
    adding_fini(&a);
    if (code == CLI_OK && cli->is_json)
        report_json(&a);
    else if (code == CLI_OK)
        report_text(&a, clock_mono_ns() - began_ns);
    return code;
}

static const char *const input_words[] = {"jsonl", "csv", "tsv", "text", NULL};

static const struct flag flags[] = {
    {.name = "data",
        .type = FLAG_TEXT,
        .value = "JSON|@FILE|-",
        .help = "the data of every KEY given; - reads it from standard input"},
    {.name = "priority",
        .type = FLAG_INT,
        .value = "N",
        .min = -PRIORITY_MAX,
        .max = PRIORITY_MAX,
        .help = "higher goes first (default: the job's)"},
    {.name = "retry", .type = FLAG_BOOL, .help = "reopen what is failed, exhausted or cancelled"},
    {.name = "from",
        .type = FLAG_TEXT,
        .value = "FILE|-",
        .kind = WORD_FILE,
        .help = "items from a file or stream"},
    {.name = "format",
        .type = FLAG_WORD,
        .value = "WORD",
        .words = input_words,
        .help = "jsonl, csv, tsv or text (default: by the file's ending, else by its first byte)"},
    FLAG_DRY_RUN,
    {.name = NULL},
};

const struct command command_add = {
    .name = "add",
    .group = GROUP_WORK,
    .usage = "JOB KEY… [--data JSON|@FILE|-]\nJOB --from FILE|-",
    .help = "add items to a job, or bring what is there up to date",
    .text =
        "Lines of JSON are objects with key, data and priority; without data, all other members\n"
        "are the data. CSV and TSV have a header; its column \"key\" is the key, the others are "
        "the\n"
        "data, as texts. Text has a key a line.\n\n"
        "A file that was not added to its end (a bad line, Ctrl-C, a kill) is added by the same "
        "command\n"
        "again: what is there already is left alone.\n\n"
        "  stint add news https://example.com/a/9\n"
        "  stint add news --from urls.txt\n"
        "  stint results news --json | jq -c '{key, data: .result}' | stint add prices --from -\n",
    .flags = flags,
    .words = {WORD_JOB, WORD_TEXT},
    .words_min = 1,
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG | NEED_BRIEF,
    .run = run,
};
