#include "cli/accepted.h"

#include <stdlib.h>
#include <string.h>

#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/config/parse.h"

enum rc accepted_find_pool(struct cli *cli, char **ret_socket, struct err *err)
{
    enum rc rc = RC_NOTFOUND;
    if (cli->config)
        rc = pool_ask_status(cli, cli->config->pool.socket, err);
    if (rc == RC_OK)
        *ret_socket = xstrdup(cli->config->pool.socket);
    return rc == RC_NOTFOUND ? pool_ask_of_file(cli, ret_socket, err) : rc;
}

static bool is_environment(const struct config_source *source)
{
    return strcmp(source->name, CONFIG_ENVIRONMENT) == 0;
}

static void drop_environment(struct config_sources *sources)
{
    struct config_source *last = sources->len ? &sources->list[sources->len - 1] : NULL;
    if (!last || !is_environment(last))
        return;
    free(last->name);
    free(last->text);
    free(last->error);
    sources->len--;
}

static void take_environment(struct config_sources *to, const struct config_sources *accepted)
{
    const struct config_source *last = accepted->len ? &accepted->list[accepted->len - 1] : NULL;
    drop_environment(to);
    if (!last || !is_environment(last))
        return;
    to->list = xrealloc(to->list, (to->len + 1) * sizeof(*to->list));
    to->list[to->len++] =
        (struct config_source){.name = xstrdup(last->name), .text = xstrdup(last->text)};
}

enum cli_exit accepted_read(
    struct cli *cli, const char *socket, struct config **ret_accepted, struct config **ret_files)
{
    struct config_sources sources CLEANUP(config_sources_fini) = {0};
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    struct config *accepted = NULL;
    struct err err = {""};
    enum rc rc = pool_ask_config(cli, socket, &sources, &accepted, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    take_environment(&cli->sources, &sources);
    if (config_parse(&cli->sources, ret_files, &problems)) {
        config_free(accepted);
        return cli_say_problems(cli, &problems);
    }
    *ret_accepted = accepted;
    return CLI_OK;
}
