/* results: streams a job's results as a table, NDJSON or CSV. */
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/overview.h"
#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/store/look.h"

enum output { OUTPUT_TABLE, OUTPUT_NDJSON, OUTPUT_CSV }; /* as the words of --format */

#define FLUSH_BYTES 65536

static const struct table_column columns[] = {
    {"KEY", false}, {"STAGE", false}, {"STATUS", false}, {"RESULT", false}};

struct results {
    struct buf out;
    struct table table;
    int64_t rows;
    bool is_on_terminal;
};

static enum rc on_table_row(void *ctx, const struct result_row *row)
{
    struct results *r = ctx;
    r->rows++;
    table_add(&r->table, row->key, TONE_NONE);
    table_add(&r->table, row->stage, TONE_NONE);
    table_add(&r->table, row->status, TONE_NONE);
    table_add(&r->table, row->data, TONE_NONE);
    if (table_is_full(&r->table)) {
        table_flush(&r->table, &r->out);
        cli_print(&r->out);
        buf_reset(&r->out);
    }
    return RC_OK;
}

static void flush_full(struct results *r)
{
    if (r->out.len < FLUSH_BYTES)
        return;
    cli_print(&r->out);
    buf_reset(&r->out);
}

static enum rc on_json_row(void *ctx, const struct result_row *row)
{
    struct results *r = ctx;
    struct json j;
    r->rows++;
    json_init(&j, &r->out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.result/1");
    json_str(&j, "key", row->key);
    json_str(&j, "stage", row->stage);
    json_str(&j, "status", row->status);
    json_raw(&j, "result", row->data);
    json_str(&j, "version", row->handler_version);
    json_time(&j, "created_at", row->created_wall_ms);
    json_end_object(&j);
    buf_addc(&r->out, '\n');
    flush_full(r);
    return RC_OK;
}

/* In a file a cell is what it is, byte by byte. */
static void csv_add_cell(struct results *r, const char *text, size_t len)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    if (r->is_on_terminal) {
        text_add_printable(&shown, text, len);
        text = buf_str(&shown);
        len = shown.len;
    }
    csv_add(&r->out, text, len);
}

/* A JSON string as the text that it is; anything else as JSON. */
static void csv_add_json(struct results *r, const char *data)
{
    json_t *value =
        data && data[0] == '"' ? json_loads(data, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    if (json_is_string(value))
        csv_add_cell(r, json_string_value(value), json_string_length(value));
    else if (data)
        csv_add_cell(r, data, strlen(data));
    json_decref(value);
}

static void csv_add_text(struct results *r, const char *text, char end)
{
    if (text)
        csv_add_cell(r, text, strlen(text));
    buf_addc(&r->out, end);
}

static enum rc on_csv_row(void *ctx, const struct result_row *row)
{
    struct results *r = ctx;
    char time[40];
    if (r->rows++ == 0)
        buf_adds(&r->out, "key,stage,status,result,version,created_at\r\n");
    csv_add_text(r, row->key, ',');
    csv_add_text(r, row->stage, ',');
    csv_add_text(r, row->status, ',');
    csv_add_json(r, row->data);
    buf_addc(&r->out, ',');
    csv_add_text(r, row->handler_version, ',');
    csv_add_text(r, clock_format_wall(row->created_wall_ms, time, sizeof(time)), '\r');
    buf_addc(&r->out, '\n');
    flush_full(r);
    return RC_OK;
}

static enum cli_exit check_stage(const struct job_spec *job, const char *stage)
{
    if (!stage || job_stage(job, stage))
        return CLI_OK;
    struct buf names CLEANUP(buf_fini) = BUF_INIT;
    for (size_t i = 0; i < job->stages_len; i++)
        buf_addf(&names, "%s%s", i ? ", " : "", job->stages[i].name);
    return cli_fail(
        CLI_USAGE, "job %s has no stage \"%.64s\"; it has: %s", job->name, stage, buf_str(&names));
}

/* The items of a job that left the configuration stay, and their results with them. */
static bool is_orphan(struct cli *cli, const char *name)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    struct err err;
    return !config_job(cli->config, name) && cli->store &&
           overview_take(cli->store, cli->config, &view, &err) == RC_OK &&
           overview_job(&view, name) != NULL;
}

static enum cli_exit run(struct cli *cli)
{
    static const result_fn on_row[] = {
        [OUTPUT_TABLE] = on_table_row, [OUTPUT_NDJSON] = on_json_row, [OUTPUT_CSV] = on_csv_row};
    const struct args *args = cli->args;
    const char *stage = args->words_len > 1 ? args->words[1] : NULL;
    int64_t format = args_number(args, "format", cli->is_json ? OUTPUT_NDJSON : OUTPUT_TABLE);
    const char *job = args->words[0];
    if (!is_orphan(cli, job)) {
        const struct job_spec *spec = cli_job(cli, job);
        if (!spec || check_stage(spec, stage))
            return CLI_USAGE;
    }
    struct results r = {.is_on_terminal = cli->width > 0};
    struct err err = {""};
    table_init(&r.table, columns, 4, cli->width, cli->has_color);
    enum rc rc =
        cli->store ? look_results(cli->store, job, stage, on_row[format], &r, &err) : RC_OK;
    if (format == OUTPUT_TABLE && r.rows > 0)
        table_flush(&r.table, &r.out);
    cli_print(&r.out);
    table_fini(&r.table);
    buf_fini(&r.out);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (r.rows > 0)
        return CLI_OK;
    cli_say(cli, "no results of %s%s%s yet; see how far it is: stint status %s", job,
        stage ? "." : "", stage ? stage : "", job);
    return CLI_NO_MATCH;
}

static const char *const output_words[] = {"table", "ndjson", "csv", NULL};

static const struct flag flags[] = {
    {.name = "format",
        .type = FLAG_WORD,
        .value = "WORD",
        .words = output_words,
        .help = "table, ndjson or csv"},
    {.name = NULL},
};

const struct command command_results = {
    .name = "results",
    .group = GROUP_WORK,
    .usage = "JOB [STAGE] [--format table|ndjson|csv]",
    .help = "the results of a job, or of one stage of it",
    .text = "In csv a result that is a JSON string is given as plain text, any other as JSON. To a "
            "file or\n"
            "pipe it goes byte by byte; on a terminal control characters are shown as \\n, \\x1b, "
            "\\u009b.\n"
            "Exit status 5 if there is none.\n\n"
            "  stint results demo --format csv > out.csv\n",
    .flags = flags,
    .words = {WORD_JOB, WORD_STAGE},
    .words_min = 1,
    .words_max = 2,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
