/* add: items by name, or out of a stream in bites: each bite is one transaction, so memory stays
 * constant and what was said to be added is. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/records/records.h"
#include "common/store/add.h"

#define BITE_ITEMS 1000
#define BITE_BYTES ((size_t)4 * 1024 * 1024)
#define DATA_MAX_BYTES ((size_t)1024 * 1024)

/* Items that wait to be added together. Their texts lie in one buffer, by offset: it may move. */
struct bite {
    struct buf texts;
    struct {
        size_t key, data; /* data: NO_DATA */
        int64_t priority, line;
        bool has_priority;
    } items[BITE_ITEMS];
    size_t len;
};
#define NO_DATA ((size_t)-1)

struct adding {
    struct cli *cli;
    const struct catalog_job *job;
    struct add_options opts;
    struct add_report report;
    const char *source; /* "items.csv", for errors; NULL: keys of the command line */
    struct bite *bite;
};

static size_t keep_text(struct bite *bite, const char *text)
{
    size_t at = bite->texts.len;
    buf_add(&bite->texts, text, strlen(text) + 1);
    return at;
}

static void put(struct bite *bite, const struct record *record)
{
    size_t i = bite->len++;
    bite->items[i].key = keep_text(bite, record->key);
    bite->items[i].data = record->data ? keep_text(bite, record->data) : NO_DATA;
    bite->items[i].priority = record->priority;
    bite->items[i].has_priority = record->has_priority;
    bite->items[i].line = record->line;
}

static bool bite_is_full(const struct bite *bite)
{
    return bite->len == BITE_ITEMS || bite->texts.len >= BITE_BYTES;
}

static enum cli_exit bad_item(const struct adding *a, size_t bad, const struct err *err)
{
    if (a->source)
        return cli_fail(
            CLI_FAILED, "%s:%" PRId64 ": %s", a->source, a->bite->items[bad].line, err->text);
    struct buf key CLEANUP(buf_fini) = BUF_INIT;
    const char *text = a->bite->texts.data + a->bite->items[bad].key;
    text_add_printable(&key, text, strlen(text));
    return cli_fail(CLI_USAGE, "\"%.80s\": %s", buf_str(&key), err->text);
}

/* All of the bite or nothing. */
static enum cli_exit swallow(struct adding *a)
{
    struct bite *bite = a->bite;
    struct add_item items[BITE_ITEMS];
    size_t bad = bite->len;
    struct err err = {""};
    int64_t claimable = a->report.claimable;
    if (bite->len == 0)
        return CLI_OK;
    for (size_t i = 0; i < bite->len; i++)
        items[i] = (struct add_item){
            .key = bite->texts.data + bite->items[i].key,
            .data = bite->items[i].data == NO_DATA ? NULL : bite->texts.data + bite->items[i].data,
            .priority = bite->items[i].priority,
            .has_priority = bite->items[i].has_priority,
        };
    enum rc rc =
        store_add(a->cli->store, a->job, items, bite->len, &a->opts, &a->report, &bad, &err);
    if (rc == RC_INVALID && bad < bite->len)
        return bad_item(a, bad, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    buf_reset(&bite->texts);
    bite->len = 0;
    if (!a->opts.is_dry_run)
        cli_wake(a->cli, a->report.claimable - claimable);
    cli_checkpoint(a->cli);
    return CLI_OK;
}

static int64_t report_sum(const struct add_report *r)
{
    return r->new_items + r->merged + r->reopened + r->unchanged;
}

static void say_stopped(const struct adding *a)
{
    char count[32];
    int64_t n = report_sum(&a->report);
    if (n == 0)
        cli_say(
            a->cli, "nothing of this file was added; correct it and run the same command again");
    else
        cli_say(a->cli,
            "%s item%s before it %s %s; correct it and run the same command again: what is there "
            "already is left alone",
            text_count(n, count, sizeof(count)), n == 1 ? "" : "s", n == 1 ? "was" : "were",
            a->opts.is_dry_run ? "looked at" : "added");
}

/* The flags --priority and --data hold for every item that does not say otherwise. */
static void apply_flags(const struct adding *a, struct record *record)
{
    if (!record->has_priority && args_has(a->cli->args, "priority")) {
        record->priority = args_number(a->cli->args, "priority", 0);
        record->has_priority = true;
    }
}

/* Somebody made the stream non-blocking, and it has nothing now. */
static bool await_more(enum rc rc, int fd)
{
    struct pollfd more = {.fd = fd, .events = POLLIN};
    return rc == RC_AGAIN && (poll(&more, 1, -1) >= 0 || errno == EINTR);
}

static enum rc read_header(struct records *records, struct err *err)
{
    enum rc rc;
    do
        rc = records_header(records, err);
    while (await_more(rc, records->lines.fd));
    return rc;
}

static enum rc read_record(struct records *records, struct record *ret, struct err *err)
{
    enum rc rc;
    do
        rc = records_next(records, ret, err);
    while (await_more(rc, records->lines.fd));
    return rc;
}

static enum cli_exit add_record(struct adding *a, struct record *record)
{
    apply_flags(a, record);
    put(a->bite, record);
    return bite_is_full(a->bite) ? swallow(a) : CLI_OK;
}

/* The first bad record ends it. */
static enum cli_exit add_stream(struct adding *a, int fd, enum record_format format)
{
    struct records records CLEANUP(records_fini);
    struct record record;
    struct err err = {""};
    enum cli_exit code = CLI_OK;
    records_init(&records, fd, a->source, &(struct records_opts){.format = format});
    enum rc rc = read_header(&records, &err);
    if (rc == RC_OK)
        while (code == CLI_OK && (rc = read_record(&records, &record, &err)) == RC_ROW)
            code = add_record(a, &record);
    if (rc == RC_DONE && code == CLI_OK)
        code = swallow(a);
    else if (rc != RC_ROW && code == CLI_OK)
        code = cli_fail(CLI_FAILED, "%s", err.text);
    if (code != CLI_OK)
        say_stopped(a);
    return code;
}

static enum cli_exit add_from(struct adding *a, const char *from)
{
    static const enum record_format formats[] = {FORMAT_JSONL, FORMAT_CSV, FORMAT_TSV,
        FORMAT_TEXT}; /* as the words of --format in commands.c */
    enum record_format format = FORMAT_GUESS;
    if (args_has(a->cli->args, "format"))
        format = formats[args_number(a->cli->args, "format", 0)];
    if (strcmp(from, "-") == 0) {
        a->source = "standard input";
        return add_stream(a, STDIN_FILENO, format);
    }
    a->source = from;
    int fd CLEANUP_FD = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        return cli_fail(CLI_FAILED, "cannot open %s: %s", from, strerror(why));
    }
    return add_stream(a, fd, format);
}

/* --data: JSON itself, @FILE, or - for standard input. */
static enum cli_exit read_data(const char *text, struct buf *ret)
{
    struct err err = {""};
    enum rc rc = RC_OK;
    if (strcmp(text, "-") == 0)
        rc = sys_read_fd(STDIN_FILENO, DATA_MAX_BYTES, ret, &err);
    else if (text[0] == '@')
        rc = sys_read_file(text + 1, DATA_MAX_BYTES, ret, &err);
    else
        buf_adds(ret, text);
    if (rc)
        return cli_fail(CLI_FAILED, "--data: %s", err.text);
    json_error_t why;
    json_t *value = json_loadb(buf_str(ret), ret->len,
        JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!value)
        return cli_fail(CLI_USAGE,
            "--data is not valid JSON: %s (line %d, column %d). Text needs "
            "quotes of its own: --data '{\"name\":\"x\"}'",
            why.text, why.line, why.column);
    json_decref(value);
    return CLI_OK;
}

static enum cli_exit add_keys(struct adding *a)
{
    struct buf data CLEANUP(buf_fini) = BUF_INIT;
    const struct args *args = a->cli->args;
    const char *text = args_text(args, "data");
    enum cli_exit code = text ? read_data(text, &data) : CLI_OK;
    for (size_t i = 1; i < args->words_len && code == CLI_OK; i++) {
        struct record record = {.key = args->words[i], .data = text ? buf_str(&data) : NULL};
        struct err err = {""};
        apply_flags(a, &record);
        put(a->bite, &record);
        if (text_check_key(record.key, strlen(record.key), &err))
            return bad_item(a, a->bite->len - 1, &err);
        if (bite_is_full(a->bite))
            code = swallow(a);
    }
    return code == CLI_OK ? swallow(a) : code;
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
    json_int(&j, "new", a->report.new_items);
    json_int(&j, "merged", a->report.merged);
    json_int(&j, "reopened", a->report.reopened);
    json_int(&j, "unchanged", a->report.unchanged);
    json_int(&j, "ended", a->report.ended);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static void report_text(const struct adding *a)
{
    const struct add_report *r = &a->report;
    const char *job = a->job->spec->name;
    char n[5][32];
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    if (!a->cli->is_quiet)
        buf_addf(&text, "%s %s: %s new, %s merged, %s reopened, %s unchanged\n",
            a->opts.is_dry_run ? "would add to" : "added to", job,
            text_count(r->new_items, n[0], sizeof(n[0])), text_count(r->merged, n[1], sizeof(n[1])),
            text_count(r->reopened, n[2], sizeof(n[2])),
            text_count(r->unchanged, n[3], sizeof(n[3])));
    cli_print(&text);
    if (r->ended > 0)
        cli_say(a->cli, "%s %s failed before: stint add %s … --retry",
            text_count(r->ended, n[4], sizeof(n[4])), r->ended == 1 ? "has" : "have", job);
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
    if (!cli_job(cli, args->words[0]))
        return CLI_USAGE;
    code = cli_open_write(cli);
    if (code != CLI_OK)
        return code;
    struct adding a = {
        .cli = cli,
        .job = catalog_job(cli->catalog, args->words[0]),
        .opts = {.source = "manual",
            .wants_retry = args_has(args, "retry"),
            .is_dry_run = args_has(args, "dry-run")},
        .bite = xcalloc(1, sizeof(struct bite)),
    };
    const char *from = args_text(args, "from");
    code = from ? add_from(&a, from) : add_keys(&a);
    buf_fini(&a.bite->texts);
    free(a.bite);
    if (code == CLI_OK && cli->is_json)
        report_json(&a);
    else if (code == CLI_OK)
        report_text(&a);
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
    {.name = "from", .type = FLAG_TEXT, .value = "FILE|-", .help = "items from a file or stream"},
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
        "  stint add news https://example.com/a/9\n"
        "  stint add news --from urls.txt\n"
        "  stint results news --json | jq -c '{key, data: .result}' | stint add prices --from -\n",
    .flags = flags,
    .words = {WORD_JOB, WORD_TEXT},
    .words_min = 1,
    .words_max = WORDS_ANY,
    .needs = NEED_CONFIG,
    .run = run,
};
