/* reload: has the running pool take the configuration files over, and waits for what becomes of it;
 * -n says what would. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/accepted.h"
#include "cli/commands.h"
#include "cli/pool.h"
#include "cli/reload_show.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/parse.h"

#define OUTCOME_TIMEOUT_MS 60000

static enum cli_exit ask(struct cli *cli, const char *socket)
{
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    const struct pool_question question = {.text = "reload", .timeout_ms = OUTCOME_TIMEOUT_MS};
    enum rc rc = pool_ask(cli, socket, &question, &payload, &err);
    if (rc == RC_BUSY)
        return cli_fail(CLI_BUSY,
            "the reload goes on, but its outcome is not known yet (does another program hold the "
            "database?); see: stint status");
    if (rc)
        return cli_fail(CLI_FAILED, "the pool ended before the reload did: %s", err.text);
    json_t *outcome = json_loadb(buf_str(&payload), payload.len, 0, NULL);
    if (!outcome)
        return cli_fail(CLI_FAILED, "the pool's answer cannot be read; is it of another version?");
    bool is_accepted = reload_is_accepted(outcome);
    if (cli->is_json)
        reload_write_json(outcome);
    else
        reload_say(cli, outcome);
    json_decref(outcome);
    return is_accepted ? CLI_OK : CLI_FAILED;
}

static enum cli_exit compare(struct cli *cli, const char *socket)
{
    struct config *accepted = NULL, *files = NULL;
    enum cli_exit code = accepted_read(cli, socket, &accepted, &files);
    if (code == CLI_OK)
        code = reload_say_changes(cli, accepted, files);
    config_free(files);
    config_free(accepted);
    return code;
}

static enum cli_exit run(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    char *socket CLEANUP_FREE = NULL;
    struct err err = {""};
    bool is_dry_run = args_has(cli->args, "dry-run");
    cli_parse_files(cli, &problems);
    if (!cli->config && is_dry_run)
        return cli_say_problems(cli, &problems);
    enum rc rc = accepted_find_pool(cli, &socket, &err);
    if (rc && !cli->config)
        return cli_say_problems(cli, &problems);
    if (rc)
        return cli_need_pool(cli);
    return is_dry_run ? compare(cli, socket) : ask(cli, socket);
}

static const struct flag flags[] = {
    FLAG_DRY_RUN,
    {.name = NULL},
};

const struct command command_reload = {
    .name = "reload",
    .group = GROUP_OPERATE,
    .usage = "[-n]",
    .help = "have the pool take the configuration files over, whole or not at all",
    .text = "What runs finishes with the handler that it began with. Where a handler, a stage or a "
            "job\n"
            "is another, workers are replaced when they are empty; everything else is in force at "
            "once.\n"
            "A configuration with a mistake is refused, and the one in force stays. -n says what "
            "would\n"
            "change. Exit status 1 if it is (or would be) refused, 3 if no pool is running, 75 if "
            "there is\nno outcome within a minute, 78 for -n with a mistake in the files.\n",
    .flags = flags,
    .run = run,
};
