/* check: all problems of the configuration files, and of the programs that they name. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/named.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"

static size_t count_stages(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->jobs_len; i++)
        n += config->jobs[i].stages_len;
    return n;
}

static void add_lines(struct json *j, const char *name, const char *problems)
{
    json_open_array(j, name);
    while (*problems) {
        size_t len = strcspn(problems, "\n");
        json_strn(j, NULL, problems, len);
        problems += len + (problems[len] == '\n');
    }
    json_end_array(j);
}

static void report_json(const struct cli *cli, const char *problems, const char *warnings)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    json_init(&j, &text);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.check/1");
    json_str(&j, "config", cli->conf);
    json_bool(&j, "ok", *problems == '\0');
    json_int(&j, "jobs", cli->config ? (int64_t)cli->config->jobs_len : 0);
    json_int(&j, "stages", cli->config ? (int64_t)count_stages(cli->config) : 0);
    add_lines(&j, "problems", problems);
    add_lines(&j, "warnings", warnings);
    json_end_object(&j);
    buf_addc(&text, '\n');
    cli_print(&text);
}

static void report_ok(const struct cli *cli)
{
    size_t jobs = cli->config->jobs_len, stages = count_stages(cli->config);
    if (!cli->is_quiet)
        printf("%s: ok: %zu job%s, %zu stage%s\n", cli->conf, jobs, jobs == 1 ? "" : "s", stages,
            stages == 1 ? "" : "s");
    if (jobs == 0)
        cli_say(cli, "no job is configured yet: add a section [job NAME]");
}

static enum cli_exit run(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT, warnings CLEANUP(buf_fini) = BUF_INIT;
    cli_parse_files(cli, &problems);
    if (cli->config)
        named_check(cli->config, &problems, &warnings);
    if (cli->is_json)
        report_json(cli, buf_str(&problems), buf_str(&warnings));
    else if (problems.len > 0)
        cli_say_problems(cli, &problems);
    else
        report_ok(cli);
    if (!cli->is_json)
        (void)sys_write_all(STDERR_FILENO, warnings.data, warnings.len);
    return problems.len > 0 ? CLI_BAD_CONFIG : CLI_OK;
}

const struct command command_check = {
    .name = "check",
    .group = GROUP_START,
    .usage = "",
    .help = "look through the configuration and name all its problems",
    .text =
        "Reads the files, even when a pool runs, and looks for the programs and lists they name.\n"
        "Exit status 78 if there is any problem; a warning is none.\n",
    .run = run,
};
