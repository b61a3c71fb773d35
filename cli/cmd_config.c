/* config show: every key in force, and where its value comes from; config diff: what differs
 * between the configuration that the pool accepted and the files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/accepted.h"
#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/reload_show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/settings.h"

#define FLUSH_BYTES 65536

/* ---- show ---- */

struct showing {
    const struct cli *cli;
    struct buf out;
    bool has_origin;
    bool is_later; /* not the first section */
    size_t width;  /* of the origins */
};

/* "stint.conf:3 (template scraper)", "STINT_POOL_WORKERS", "default". */
static void add_origin(const struct setting *s, struct buf *out)
{
    char variable[80];
    if (!s->origin) {
        buf_adds(out, "default");
    } else if (strcmp(s->origin->file, CONFIG_ENVIRONMENT) == 0) {
        option_variable(s->key, variable, sizeof(variable));
        buf_adds(out, variable);
        if (!sys_getenv(variable)) /* by its environment, or the --log of stint run */
            buf_adds(out, " of the pool");
    } else {
        text_add_printable(out, s->origin->file, strlen(s->origin->file));
        buf_addf(out, ":%zu", s->origin->line);
        if (s->origin->template)
            buf_addf(out, " (template %s)", s->origin->template);
    }
}

/* As it could stand in a file: what goes on in further lines is indented. */
static void add_value(const char *value, struct buf *out)
{
    while (*value) {
        size_t len = strcspn(value, "\n");
        text_add_printable(out, value, len);
        value += len;
        if (*value == '\n') {
            buf_adds(out, "\n        ");
            value++;
        }
    }
}

static void flush(struct showing *w, size_t limit)
{
    if (w->out.len < limit)
        return;
    cli_print(&w->out);
    buf_reset(&w->out);
}

static void show_words(struct showing *w, const struct setting *s)
{
    struct buf origin CLEANUP(buf_fini) = BUF_INIT;
    if (!s->key) {
        char *title CLEANUP_FREE = xasprintf("[%s]", s->section);
        buf_adds(&w->out, w->is_later ? "\n" : "");
        tone_add(&w->out, TONE_BOLD, w->cli->has_color, title);
        buf_addc(&w->out, '\n');
        w->is_later = true;
        return;
    }
    if (w->has_origin) {
        add_origin(s, &origin);
        buf_addc(&origin, ' ');
        while (text_width(buf_str(&origin)) < w->width + 2)
            buf_addc(&origin, ' ');
        tone_add(&w->out, TONE_FAINT, w->cli->has_color, buf_str(&origin));
    }
    buf_addf(&w->out, "%s = ", s->key);
    add_value(s->value, &w->out);
    buf_addc(&w->out, '\n');
}

static void show_json(struct showing *w, const struct setting *s)
{
    struct buf origin CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    if (!s->key)
        return;
    add_origin(s, &origin);
    json_init(&j, &w->out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.config/1");
    json_str(&j, "section", s->section);
    json_str(&j, "key", s->key);
    json_str(&j, "value", s->value);
    json_bool(&j, "secret", s->secret != NULL);
    json_bool(&j, "default", s->origin == NULL);
    json_str(&j, "origin", buf_str(&origin));
    json_str(&j, "file", s->origin ? s->origin->file : NULL);
    if (s->origin)
        json_int(&j, "line", (int64_t)s->origin->line);
    else
        json_str(&j, "line", NULL);
    json_str(&j, "template", s->origin ? s->origin->template : NULL);
    json_end_object(&j);
    buf_addc(&w->out, '\n');
}

static void show_setting(void *ctx, const struct setting *s)
{
    struct showing *w = ctx;
    if (w->cli->is_json)
        show_json(w, s);
    else
        show_words(w, s);
    flush(w, FLUSH_BYTES);
}

static void measure(void *ctx, const struct setting *s)
{
    struct showing *w = ctx;
    struct buf origin CLEANUP(buf_fini) = BUF_INIT;
    if (!s->key)
        return;
    add_origin(s, &origin);
    size_t width = text_width(buf_str(&origin));
    w->width = width > w->width ? width : w->width;
}

static enum cli_exit show(struct cli *cli)
{
    struct showing w = {.cli = cli, .has_origin = args_has(cli->args, "origin")};
    if (w.has_origin && !cli->is_json)
        config_settings(cli->config, measure, &w);
    config_settings(cli->config, show_setting, &w);
    flush(&w, 0);
    buf_fini(&w.out);
    if (cli->presence == POOL_RUNNING)
        cli_say(
            cli, "(as the running pool accepted it; what the files say now: stint config diff)");
    return CLI_OK;
}

/* ---- diff ---- */

static enum cli_exit diff(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    char *socket CLEANUP_FREE = NULL;
    struct config *accepted = NULL, *files = NULL;
    cli_parse_files(cli, &problems);
    enum rc rc = accepted_find_pool(cli, &socket, NULL);
    if (!cli->config)
        return cli_say_problems(cli, &problems);
    if (rc)
        return cli_need_pool(cli);
    enum cli_exit code = accepted_read(cli, socket, &accepted, &files);
    if (code == CLI_OK)
        reload_say_diff(cli, accepted, files);
    config_free(accepted);
    config_free(files);
    return code;
}

static const struct flag show_flags[] = {
    {.name = "origin", .type = FLAG_BOOL, .help = "where each value comes from"},
    {.name = NULL},
};

static const struct command subs[] = {
    {
        .name = "config show",
        .group = GROUP_OPERATE,
        .usage = "[--origin]",
        .help = "every key in force, section by section",
        .text = "Defaults included; what a stage has from its job or a template is shown with the "
                "stage. Of a\nsecret only its place is shown. While a pool runs: what it "
                "accepted, else the files.\n\n"
                "  stint config show --origin | grep max_attempts\n",
        .flags = show_flags,
        .needs = NEED_CONFIG,
        .run = show,
    },
    {
        .name = "config diff",
        .group = GROUP_OPERATE,
        .usage = "",
        .help = "what the files say now, compared with what the pool accepted",
        .text = "By what a reload would do with each difference. Exit status 3 if no pool is "
                "running.\n",
        .run = diff,
    },
};

const struct command command_config = {
    .name = "config",
    .group = GROUP_OPERATE,
    .usage = "show [--origin]\ndiff",
    .help = "what is configured, and where; what changed in the files",
    .subs = subs,
    .subs_len = sizeof(subs) / sizeof(subs[0]),
};
