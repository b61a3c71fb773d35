/* version: which stint this is. */
#include "cli/commands.h"
#include "common/base/cleanup.h"

static enum cli_exit run(struct cli *cli)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    if (cli->is_json)
        buf_adds(&text, "{\"schema\":\"stint.version/1\",\"version\":\"" STINT_VERSION "\"}\n");
    else
        buf_adds(&text, "stint " STINT_VERSION "\n");
    cli_print(&text);
    return CLI_OK;
}

const struct command command_version = {
    .name = "version",
    .group = GROUP_OPERATE,
    .usage = "",
    .help = "the version",
    .run = run,
};
