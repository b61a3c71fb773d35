/* show: one item: its stages, every attempt, what its workers died of, its results. */
#include <string.h>

#include "cli/commands.h"
#include "cli/filtering.h"
#include "cli/item_view.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

static enum cli_exit say_unknown(struct cli *cli, const char *job, const char *key)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, key, strlen(key));
    cli_say(cli, "job %s has no item \"%s\"; find it by a part of its key: stint ls 'job:%s key~…'",
        job, buf_str(&shown), job);
    return CLI_NO_MATCH;
}

/* One word: the job's name without a key, or the key without its job. */
static enum cli_exit say_half(struct cli *cli, const char *word)
{
    struct buf typed CLEANUP(buf_fini) = BUF_INIT;
    if (*word == '@' || config_job(cli->config, word))
        return cli_fail(CLI_USAGE, "KEY is missing; usage: stint show JOB KEY");
    filtering_add_item(&typed, NULL, word);
    return cli_fail(CLI_USAGE,
        "JOB is missing; usage: stint show JOB KEY. Which job has it: stint ls %s",
        buf_str(&typed));
}

static enum cli_exit run(struct cli *cli)
{
    struct item_view view CLEANUP(item_view_fini) = {.job = NULL};
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    const char *job = cli->args->words[0], *key = cli->args->words[1];
    if (!key)
        return say_half(cli, job);
    enum rc rc = cli->store ? item_view_take(cli, job, key, &view, &err) : RC_NOTFOUND;
    if (rc == RC_NOTFOUND && job[0] != '@' && !cli_job(cli, job))
        return CLI_USAGE;
    if (rc == RC_NOTFOUND)
        return say_unknown(cli, job, key);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (cli->is_json)
        item_view_json(&view, &out);
    else
        item_view_text(cli, &view, &out);
    cli_print(&out);
    return CLI_OK;
}

const struct command command_show = {
    .name = "show",
    .group = GROUP_LOOK,
    .usage = "JOB KEY",
    .help = "one item: its stages, every attempt, its results",
    .text = "Every attempt with its worker (w SLOT/PID) and its end, what operators did, of what "
            "workers\n"
            "died meanwhile, the last words on standard error, and what to type next. --json has "
            "all of\n"
            "it, whole. Works without a pool. Exit status 5 if there is no such item.\n\n"
            "  stint show news https://example.com/a/9\n"
            "  stint show --json news a/9\n",
    .words = {WORD_JOB, WORD_TEXT},
    .words_min = 1,
    .words_max = 2,
    .needs = NEED_CONFIG | NEED_READ,
    .run = run,
};
