/* stint: the operator's command. Reads the command line, makes ready what the command's row in
 * commands.c needs, calls it, and turns its result into the exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/filter/filter.h"

#define SETS_MAX 128

static size_t add_sets(const struct flag **sets, size_t n, const struct command *command)
{
    if (command->flags && n < SETS_MAX)
        sets[n++] = command->flags;
    for (size_t i = 0; i < command->subs_len; i++)
        n = add_sets(sets, n, &command->subs[i]);
    return n;
}

/* Index of the first word. By all tables of flags: before the command is known, any may be meant.
 */
static int find_word(int argc, char **argv)
{
    const struct flag *sets[SETS_MAX] = {global_flags};
    size_t n = 1;
    for (size_t i = 0; i < commands_len; i++)
        n = add_sets(sets, n, commands[i]);
    return args_first_word(argc, argv, sets, n);
}

static enum cli_exit unknown_command(const char *name)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, name, strlen(name));
    const char *near = command_nearest(name);
    if (near)
        return cli_fail(CLI_USAGE, "unknown command \"%s\"; did you mean \"%s\"? See: stint help",
            buf_str(&shown), near);
    return cli_fail(CLI_USAGE, "unknown command \"%s\". See: stint help", buf_str(&shown));
}

/* "db" alone, or "db frobnicate". */
static enum cli_exit unknown_sub(const struct command *command, const char *word)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const char *near = word ? command_sub_nearest(command, word) : NULL;
    if (word) {
        buf_adds(&text, "unknown word \"");
        text_add_printable(&text, word, strlen(word));
        buf_addf(&text, "\" after stint %s; %s", command->name, near ? "did you mean \"" : "");
    } else {
        buf_addf(&text, "stint %s does one of several things; ", command->name);
    }
    if (near) {
        buf_addf(&text, "%s\"?", near);
    } else {
        buf_adds(&text, "say one of: ");
        for (size_t i = 0; i < command->subs_len; i++)
            buf_addf(&text, "%s%s", i ? ", " : "", command_word(&command->subs[i]));
    }
    return cli_fail(
        CLI_USAGE, "%s%s See: stint help %s", buf_str(&text), near ? "" : ".", command->name);
}

static enum cli_exit usage_error(const struct command *command, const char *what)
{
    bool has_hint = what[0] && what[strlen(what) - 1] == '?';
    const char *stop = has_hint ? "" : ".";
    if (!command)
        return cli_fail(CLI_USAGE, "%s%s See: stint help", what, stop);
    if (has_hint || command->subs)
        return cli_fail(CLI_USAGE, "%s%s See: stint %s --help", what, stop, command->name);
    const char *usage = command->usage;
    return cli_fail(CLI_USAGE, "%s; usage: stint %s%s%.*s. See: stint %s --help", what,
        command->name, *usage ? " " : "", (int)strcspn(usage, "\n"), usage, command->name);
}

/* By the first line of its usage: "JOB is missing; usage: stint results JOB [STAGE] …". */
static enum cli_exit missing_word(const struct command *command, size_t given)
{
    const char *usage = command->usage, *word = usage;
    int len = (int)strcspn(usage, "\n");
    for (size_t i = 0; i < given; i++) {
        word += strcspn(word, " \n");
        word += strspn(word, " ");
    }
    while (*word == '[') { /* flags that stand before it */
        word += strcspn(word, "]");
        word += strspn(word, "] ");
    }
    return cli_fail(CLI_USAGE, "%.*s is missing; usage: stint %s %.*s", (int)strcspn(word, " \n"),
        word, command->name, len, usage);
}

static enum cli_exit check_words(const struct command *command, const struct args *args)
{
    if (args->words_len < command->words_min)
        return missing_word(command, args->words_len);
    if (args->words_len <= command->words_max)
        return CLI_OK;
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const char *extra = args->words[command->words_max];
    buf_adds(&text, "unexpected \"");
    text_add_printable(&text, extra, strlen(extra));
    buf_adds(&text, "\"");
    return usage_error(command, buf_str(&text));
}

static enum cli_exit make_ready(struct cli *cli, unsigned needs)
{
    enum cli_exit code = CLI_OK;
    cli->is_brief = needs & NEED_BRIEF;
    if (needs & NEED_FILES)
        code = cli_read_files(cli);
    else if (needs & NEED_CONFIG)
        code = cli_find_config(cli);
    if (code == CLI_OK && needs & NEED_POOL)
        code = cli_need_pool(cli);
    if (code == CLI_OK && needs & NEED_WRITE)
        code = cli_open_write(cli);
    else if (code == CLI_OK && needs & NEED_READ)
        code = cli_open_read(cli);
    return code;
}

static enum cli_exit show_help(const struct command *command)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    help_write(&text, command);
    cli_print(&text);
    return CLI_OK;
}

static enum cli_exit dispatch(const struct command *command, const struct args *args)
{
    if (args_has(args, "help"))
        return show_help(command);
    if (args_has(args, "version"))
        command = command_find("version");
    else if (command && command->subs)
        return unknown_sub(command, NULL);
    else if (command && check_words(command, args))
        return CLI_USAGE;
    if (!command) {
        struct buf text CLEANUP(buf_fini) = BUF_INIT;
        help_write(&text, NULL);
        (void)fputs(buf_str(&text), stderr);
        return CLI_USAGE;
    }
    struct cli cli;
    cli_init(&cli, args);
    enum cli_exit code = make_ready(&cli, command->needs);
    if (code == CLI_OK)
        code = command->run(&cli);
    cli_fini(&cli);
    return code;
}

/* Data that did not reach its file is a failure, whatever the command said. */
static enum cli_exit flush(enum cli_exit code)
{
    if (fflush(stdout) != 0) {
        int why = errno;
        return cli_fail(CLI_FAILED, "cannot write to standard output: %s", strerror(why));
    }
    if (!ferror(stdout))
        return code;
    /* An earlier write failed, and errno is another's by now: the next one fails alike. */
    int why = write(STDOUT_FILENO, "\n", 1) < 0 ? errno : 0;
    return cli_fail(CLI_FAILED,
        "cannot write to standard output%s%s; what the command did is done, its report is not "
        "whole",
        why != 0 ? ": " : "", why != 0 ? strerror(why) : "");
}

/* argv without the word at `at`. */
static void take_word(int *argc, char **argv, int at)
{
    memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof(argv[0]));
    (*argc)--;
}

/* Takes the command's words out of argv. *ret stays NULL when there is none. */
static enum cli_exit find_command(int *argc, char **argv, const struct command **ret)
{
    int at = find_word(*argc, argv);
    if (at == *argc)
        return CLI_OK;
    const struct command *command = command_find(argv[at]);
    if (!command)
        return unknown_command(argv[at]);
    take_word(argc, argv, at);
    *ret = command;
    at = command->subs ? find_word(*argc, argv) : *argc;
    if (at == *argc)
        return CLI_OK;
    *ret = command_sub(command, argv[at]);
    if (!*ret)
        return unknown_sub(command, argv[at]);
    take_word(argc, argv, at);
    return CLI_OK;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct args args = ARGS_INIT;
    const struct command *command = NULL;
    sys_occupy_standard();
    (void)signal(SIGPIPE, SIG_DFL); /* a reader that leaves (| head) ends us quietly */
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes (ulimit -f) is an error to tell */
    enum cli_exit code = find_command(&argc, argv, &command);
    if (code)
        return code;
    const struct flag *sets[] = {global_flags, command ? command->flags : NULL};
    args.is_word = command_takes_filter(command) ? filter_is_negated : NULL;
    if (args_parse(argc, argv, sets, 2, &args, &err))
        code = usage_error(command, err.text);
    else
        code = dispatch(command, &args);
    args_fini(&args);
    return flush(code);
}
