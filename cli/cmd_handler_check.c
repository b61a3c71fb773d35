/* handler-check: is this a good handler? Speaks the protocol to it, and shows what it does wrong.
 */
#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/handler_check.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"

#define EXCERPT_BYTES ((size_t)76) /* of a line that is shown with a caret */
#define TIMEOUT_MS 10000

static void listener(void *ctx, char direction, const char *line, size_t len)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    text_add_printable(&text, line, len < 2000 ? len : 2000);
    cli_say(ctx, "%c %s", direction, buf_str(&text));
}

/* So much of the line that the column is inside, and the caret below it. */
static void write_excerpt(const struct finding *f, struct buf *out)
{
    CLEANUP(buf_fini) struct buf before = BUF_INIT;
    size_t len = strlen(f->said), at = f->column > 0 ? f->column - 1 : 0;
    at = at < len ? at : len;
    size_t from = at > EXCERPT_BYTES * 3 / 4 ? at - EXCERPT_BYTES * 3 / 4 : 0;
    while (from > 0 && ((unsigned char)f->said[from] & 0xc0) == 0x80)
        from--;
    size_t show = len - from < EXCERPT_BYTES ? len - from : EXCERPT_BYTES;
    buf_adds(out, from > 0 ? "      … " : "        ");
    text_add_printable(out, f->said + from, show);
    buf_adds(out, from + show < len ? " …\n" : "\n");
    if (f->column == 0)
        return;
    text_add_printable(&before, f->said + from, at - from);
    buf_addf(out, "        %*s^\n", (int)text_width(buf_str(&before)), "");
}

static void write_text(const struct cli *cli, const struct handler_check *c, struct buf *out)
{
    for (size_t i = 0; i < c->findings_len; i++) {
        const struct finding *f = &c->findings[i];
        if (cli->is_quiet && !f->is_fault)
            continue;
        tone_add(out, f->is_fault ? TONE_BAD : TONE_WARN, cli->has_color,
            f->is_fault ? "fault" : "note");
        buf_adds(out, f->is_fault ? "   " : "    ");
        text_add_printable(out, f->text, strlen(f->text));
        buf_addc(out, '\n');
        if (f->said)
            write_excerpt(f, out);
        if (f->fix)
            buf_addf(out, "        %s\n", f->fix);
    }
}

static void write_json(const struct handler_check *c, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.handler-check/1");
    json_bool(&j, "ok", handler_check_faults(c) == 0);
    json_str(&j, "kind", c->is_resident ? "resident" : "exec");
    json_str(&j, "outcome", c->outcome.len > 0 ? buf_str(&c->outcome) : NULL);
    json_int(&j, "messages", (int64_t)c->messages_len);
    json_open_array(&j, "findings");
    for (size_t i = 0; i < c->findings_len; i++) {
        json_open_object(&j, NULL);
        json_str(&j, "state", c->findings[i].is_fault ? "fault" : "note");
        json_str(&j, "text", c->findings[i].text);
        json_str(&j, "said", c->findings[i].said);
        json_int(&j, "column", (int64_t)c->findings[i].column);
        json_str(&j, "fix", c->findings[i].fix);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}

static void show(const struct cli *cli, const struct handler_check *c)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT, outcome = BUF_INIT;
    size_t faults = handler_check_faults(c);
    const char *kind = c->is_resident ? "a resident" : "an exec";
    if (cli->is_json)
        write_json(c, &out);
    else
        write_text(cli, c, &out);
    cli_print(&out);
    if (cli->is_json)
        return;
    text_add_printable(&outcome, buf_str(&c->outcome), c->outcome.len);
    if (outcome.len > 0)
        cli_say(cli, "its outcome: %s; messages: %zu", buf_str(&outcome), c->messages_len);
    if (faults > 0)
        cli_say(cli, "%zu fault%s as %s handler; the protocol: man 7 stint-handler", faults,
            faults == 1 ? "" : "s", kind);
    else
        cli_say(cli, "a good handler: no fault as %s handler", kind);
}

/* FILE.so DATA is hosted as the pool would host it. Caller frees. */
static char **make_argv(const struct args *args, char *host)
{
    char **argv = xcalloc(args->words_len + 2, sizeof(*argv));
    if (host)
        argv[0] = host;
    memcpy(argv + (host != NULL), args->words, args->words_len * sizeof(*argv));
    return argv;
}

static bool is_plugin(const char *program)
{
    const char *dot = strrchr(program, '.');
    return dot && strcmp(dot, ".so") == 0;
}

static enum cli_exit run(struct cli *cli)
{
    struct err err = {""};
    CLEANUP_FREE char *host = NULL;
    if (is_plugin(cli->args->words[0]) && sys_find_program("stint-plugin", &host, &err) != RC_OK)
        return cli_fail(CLI_FAILED, "%s", err.text);
    CLEANUP_FREE char **argv = make_argv(cli->args, host);
    const char *key = args_text(cli->args, "key"), *data = args_text(cli->args, "data");
    CLEANUP(handler_check_fini)
    struct handler_check c = {
        .argv = argv,
        .key = key ? key : "sample",
        .data = data ? data : "{}",
        .timeout_ms = args_number(cli->args, "timeout", TIMEOUT_MS),
        .is_resident = host || args_has(cli->args, "resident"),
        .is_batch = args_has(cli->args, "batch"),
        .listener = cli->is_verbose ? listener : NULL,
        .listener_ctx = cli,
        .m = MESSAGE_INIT,
    };
    if (text_check_key(c.key, strlen(c.key), &err) != RC_OK)
        return cli_fail(CLI_USAGE, "--key: %s", err.text);
    (void)signal(SIGPIPE, SIG_IGN); /* a handler that reads nothing */
    enum rc rc = handler_check_run(&c, &err);
    (void)signal(SIGPIPE, SIG_DFL);
    if (rc == RC_INVALID)
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (rc)
        return cli_fail_rc(rc, &err);
    show(cli, &c);
    return handler_check_faults(&c) ? CLI_FAILED : CLI_OK;
}

static const struct flag flags[] = {
    {.name = "resident",
        .type = FLAG_BOOL,
        .help = "as a resident; else as exec, and as a resident if it says hello"},
    {.name = "batch",
        .type = FLAG_BOOL,
        .help = "asks about two items in one request, as a stage with batch does"},
    {.name = "key",
        .type = FLAG_TEXT,
        .value = "KEY",
        .help = "of the item that it is asked about"},
    {.name = "data", .type = FLAG_TEXT, .value = "JSON", .help = "the item's data (default: {})"},
    {.name = "timeout",
        .type = FLAG_DURATION,
        .value = "D",
        .help = "for each answer (default: 10s)"},
    {.name = NULL},
};

const struct command command_handler_check = {
    .name = "handler-check",
    .group = GROUP_START,
    .usage = "[--resident] [--batch] [--key KEY] [--data JSON] [--] PROGRAM [ARG…]",
    .help = "is this program a good handler? What does it say wrong?",
    .text = "Starts the program as a worker would, in this directory, asks it about one made-up "
            "item, and\n"
            "judges what it says: as exec by descriptor 3, standard output and exit status; as "
            "resident by\n"
            "its hello, three requests, a cancel and the end of its input. Records nothing, needs "
            "no pool;\n"
            "but the program does its work. Everything that it left running is ended. -v shows "
            "all that is\n"
            "said. Exit status 1 if there is any fault.\n\n"
            "  stint handler-check --key https://example.org/ ./fetch.sh\n"
            "  stint handler-check --resident --data '{\"depth\": 2}' -- ./fetch.py --slow\n"
            "  stint handler-check --batch ./many.py            # for a stage with batch\n"
            "  stint handler-check ./words.so                   # a plugin, in its host\n",
    .flags = flags,
    .words = {WORD_FILE, WORD_TEXT},
    .words_min = 1,
    .words_max = WORDS_ANY,
    .run = run,
};
