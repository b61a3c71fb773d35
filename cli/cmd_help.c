/* help: every text of it comes from the tables in commands.c. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"

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
    add_usage(out, command);
    if (command->text)
        buf_addf(out, "\n%s", command->text);
    if (command->flags) {
        buf_adds(out, "\nOptions:\n");
        add_flags(out, command->flags);
    }
    buf_adds(out, "\nOptions of every command:\n");
    add_flags(out, global_flags);
}

static void write_all(struct buf *out)
{
    buf_adds(out, "stint: runs long pipelines of small work that must not be lost\n\n"
                  "  stint [-c CONF] [--json] [-q|-v] [--color WHEN] COMMAND\n");
    for (int group = 0; group < GROUP_COUNT; group++) {
        buf_addf(out, "\n%s\n", group_titles[group]);
        for (size_t i = 0; i < commands_len; i++)
            if ((int)commands[i].group == group)
                buf_addf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    buf_adds(out, "\nOptions of every command (before or after it):\n");
    add_flags(out, global_flags);
    buf_adds(out, "\nExit status: 0 ok, 1 failed, 2 usage, 3 pool not running, 5 nothing matched,\n"
                  "75 busy, 78 bad configuration.\n"
                  "More about a command: stint help COMMAND. To begin: stint init demo\n");
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

static void write_json(struct buf *out, const struct command *only)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.help/1");
    json_flags(&j, global_flags);
    json_open_array(&j, "commands");
    for (size_t i = 0; i < commands_len; i++) {
        if (only && only != &commands[i])
            continue;
        json_open_object(&j, NULL);
        json_str(&j, "name", commands[i].name);
        json_str(&j, "group", group_titles[commands[i].group]);
        json_str(&j, "usage", commands[i].usage);
        json_str(&j, "help", commands[i].help);
        json_flags(&j, commands[i].flags);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    buf_addc(out, '\n');
}

enum cli_exit cmd_help(struct cli *cli)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const char *name = cli->args->words_len ? cli->args->words[0] : NULL;
    const struct command *command = name ? command_find(name) : NULL;
    if (name && !command) {
        const char *near = command_nearest(name);
        return cli_fail(CLI_USAGE, "unknown command \"%s\"%s%s%s See: stint help", name,
            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : ".");
    }
    if (cli->is_json)
        write_json(&text, command);
    else
        help_write(&text, command);
    cli_print(&text);
    return CLI_OK;
}
