/* check: all problems of the configuration files, and of the programs that they name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"

/* Where a handler's program lies: named with a slash, relative to the configuration's directory;
 * else in PATH. NULL: not there. Caller frees. */
static char *find_handler(const struct config *config, const char *name)
{
    struct stat st;
    if (strchr(name, '/')) {
        char *path = sys_path_join(config->directory, name);
        if (stat(path, &st) == 0)
            return path;
        free(path);
        return NULL;
    }
    const char *dirs = sys_getenv("PATH");
    while (dirs && *dirs) {
        size_t len = strcspn(dirs, ":");
        char *path = xasprintf("%.*s/%s", (int)len, dirs, name);
        if (len > 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return path;
        free(path);
        dirs += len + (dirs[len] == ':');
    }
    return NULL;
}

static void check_handler(const struct config *config, const struct job_spec *job,
    const struct stage_spec *stage, struct buf *problems)
{
    struct stat st;
    if (stage->handler.kind != HANDLER_EXEC)
        return;
    const char *name = stage->handler.argv[0];
    char *path CLEANUP_FREE = find_handler(config, name);
    if (!path)
        buf_addf(problems, "stage %s.%s: its handler %s does not exist%s\n", job->name, stage->name,
            name,
            strchr(name, '/') ? "" : " in PATH; one of your own is written with a slash: ./NAME");
    else if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        buf_addf(
            problems, "stage %s.%s: its handler %s is no file\n", job->name, stage->name, path);
    else if (access(path, X_OK) < 0)
        buf_addf(problems, "stage %s.%s: its handler %s is not executable: chmod +x %s\n",
            job->name, stage->name, path, path);
    else if (st.st_mode & S_IWOTH)
        buf_addf(problems,
            "stage %s.%s: its handler %s may be written by everybody: chmod o-w "
            "%s\n",
            job->name, stage->name, path, path);
}

static size_t count_stages(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->jobs_len; i++)
        n += config->jobs[i].stages_len;
    return n;
}

static void add_problems(struct json *j, const char *problems)
{
    json_open_array(j, "problems");
    while (*problems) {
        size_t len = strcspn(problems, "\n");
        json_strn(j, NULL, problems, len);
        problems += len + (problems[len] == '\n');
    }
    json_end_array(j);
}

static void report_json(const struct cli *cli, const char *problems)
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
    add_problems(&j, problems);
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

enum cli_exit cmd_check(struct cli *cli)
{
    struct buf problems CLEANUP(buf_fini) = BUF_INIT;
    cli_parse_files(cli, &problems);
    for (size_t i = 0; cli->config && i < cli->config->jobs_len; i++) {
        const struct job_spec *job = &cli->config->jobs[i];
        for (size_t k = 0; k < job->stages_len; k++)
            check_handler(cli->config, job, &job->stages[k], &problems);
    }
    if (cli->is_json)
        report_json(cli, buf_str(&problems));
    else if (problems.len > 0)
        cli_say_problems(cli, &problems);
    else
        report_ok(cli);
    return problems.len > 0 ? CLI_BAD_CONFIG : CLI_OK;
}
