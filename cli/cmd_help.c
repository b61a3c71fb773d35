/* help: every text of it comes from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/filtering.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

static void pad_to(struct buf *out, size_t from, size_t width)
{
    size_t have = text_width(buf_str(out) + from);
    for (; have < width; have++)
        buf_addc(out, ' ');
}

static void add_flags(struct buf *out, const struct flag *flags)
{
    for (const struct flag *f = flags; f && f->name; f++) {
        size_t from = out->len;
        if (f->letter)
            buf_addf(out, "  -%c, --%s", f->letter, f->name);
        else
            buf_addf(out, "      --%s", f->name);
        if (f->value)
            buf_addf(out, " %s", f->value);
        pad_to(out, from, 28);
        buf_addf(out, " %s\n", f->help);
    }
}

static void add_usage(struct buf *out, const struct command *command)
{
    const char *usage = command->usage;
    for (;;) {
        size_t len = strcspn(usage, "\n");
        buf_addf(out, "  stint %s%s%.*s\n", command->name, len ? " " : "", (int)len, usage);
        if (!usage[len])
            return;
        usage += len + 1;
    }
}

static void write_command(struct buf *out, const struct command *command)
{
    buf_addf(out, "stint %s: %s\n\n", command->name, command->help);
    if (!command->subs)
        add_usage(out, command);
    for (size_t i = 0; i < command->subs_len; i++)
        add_usage(out, &command->subs[i]);
    if (command->alias)
        buf_addf(out, "\nAlso: stint %s\n", command->alias);
    if (command->text)
        buf_addf(out, "\n%s", command->text);
    if (command->flags) {
        buf_adds(out, "\nOptions:\n");
        add_flags(out, command->flags);
    }
    buf_adds(out, "\nOptions of every command:\n");
    add_flags(out, global_flags);
    if (command->subs)
        buf_addf(out, "\nMore: stint help %s WORD\n", command->name);
}

static void write_all(struct buf *out)
{
    buf_adds(out, "stint: runs long pipelines of small work that must not be lost\n\n"
                  "  stint [-c CONF] [--json] [-q|-v] [--color WHEN] COMMAND\n");
    for (int group = 0; group < GROUP_COUNT; group++) {
        buf_addf(out, "\n%s\n", group_titles[group]);
        for (size_t i = 0; i < commands_len; i++)
            if ((int)commands[i]->group == group)
                buf_addf(out, "  %-10s %s\n", commands[i]->name, commands[i]->help);
    }
    buf_adds(out, "\nOptions of every command (before or after it):\n");
    add_flags(out, global_flags);
    buf_adds(out, "\nExit status: 0 ok, 1 failed, 2 usage, 3 pool not running, 5 nothing matched,\n"
                  "75 busy, 78 bad configuration.\n"
                  "More about a command: stint help COMMAND; about FILTER: stint help filter.\n"
                  "To begin: stint init demo\n");
}

void help_write(struct buf *out, const struct command *command)
{
    if (command)
        write_command(out, command);
    else
        write_all(out);
}

static void json_flags(struct json *j, const struct flag *flags)
{
    json_open_array(j, "options");
    for (const struct flag *f = flags; f && f->name; f++) {
        json_open_object(j, NULL);
        json_str(j, "name", f->name);
        json_strn(j, "letter", f->letter ? &f->letter : "", f->letter ? 1 : 0);
        json_str(j, "value", f->value);
        json_str(j, "help", f->help);
        json_end_object(j);
    }
    json_end_array(j);
}

static void json_command(struct json *j, const struct command *command)
{
    json_open_object(j, NULL);
    json_str(j, "name", command->name);
    json_str(j, "alias", command->alias);
    json_str(j, "group", group_titles[command->group]);
    json_str(j, "usage", command->usage ? command->usage : "");
    json_str(j, "help", command->help);
    json_str(j, "text", command->text ? command->text : "");
    json_bool(j, "has_words", command->subs != NULL);
    json_flags(j, command->flags);
    json_end_object(j);
    for (size_t i = 0; i < command->subs_len; i++)
        json_command(j, &command->subs[i]);
}

static void write_json(struct buf *out, const struct command *only)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.help/1");
    json_flags(&j, global_flags);
    json_open_array(&j, "commands");
    for (size_t i = 0; i < commands_len; i++)
        if (!only)
            json_command(&j, commands[i]);
    if (only)
        json_command(&j, only);
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}

static enum cli_exit unknown(const char *before, const char *name, const char *near)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, name, strlen(name));
    if (near)
        return cli_fail(CLI_USAGE, "no help for \"%s%s\"; did you mean \"%s%s\"? See: stint help",
            before, buf_str(&shown), before, near);
    return cli_fail(CLI_USAGE, "no help for \"%s%s\". See: stint help", before, buf_str(&shown));
}

/* What several commands share. */
static bool is_of_filters(const struct args *args)
{
    return args->words_len == 1 &&
           (strcmp(args->words[0], "filter") == 0 || strcmp(args->words[0], "filters") == 0);
}

static void write_filters(struct cli *cli, struct buf *out)
{
    struct json j;
    if (!cli->is_json) {
        buf_adds(out,
            "What ls, logs, retry, cancel and others of stint take as FILTER.\n\n" FILTER_HELP);
        return;
    }
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.help/1");
    json_str(&j, "filter", FILTER_HELP);
    json_end_object(&j);
    buf_addc(out, '\n');
}

/* The command named by the words; NULL and CLI_OK: none named. */
static enum cli_exit find_named(const struct args *args, const struct command **ret)
{
    if (args->words_len == 0)
        return CLI_OK;
    const char *name = args->words[0];
    const struct command *command = command_find(name);
    if (!command)
        return unknown("", name, command_nearest(name));
    if (args->words_len > 1) {
        const char *word = args->words[1];
        char before[40];
        (void)snprintf(before, sizeof(before), "%s ", command->name);
        const struct command *sub = command_sub(command, word);
        if (!sub)
            return unknown(before, word, command_sub_nearest(command, word));
        command = sub;
    }
    *ret = command;
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const struct command *command = NULL;
    bool is_of_filter = is_of_filters(cli->args);
    enum cli_exit code = is_of_filter ? CLI_OK : find_named(cli->args, &command);
    if (code)
        return code;
    if (is_of_filter)
        write_filters(cli, &text);
    else if (cli->is_json)
        write_json(&text, command);
    else
        help_write(&text, command);
    cli_print(&text);
    return CLI_OK;
}

const struct command command_help = {
    .name = "help",
    .group = GROUP_OPERATE,
    .usage = "[COMMAND [WORD]]\nfilter",
    .help = "this help, or that of a command",
    .words = {WORD_COMMAND, WORD_COMMAND},
    .words_max = 2,
    .run = run,
};
