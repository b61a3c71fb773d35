/* discover: runs stint-discover for one job now, and shows its report. */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/gone.h"
#include "cli/loop.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/ipc/fds.h"

#define REPORT_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* -n, --limit N, JOB: as the command line of stint-discover wants them. */
struct discover_args {
    char limit[32];
    const char *argv[6];
};

static void fill_args(struct discover_args *d, const struct args *args)
{
    size_t n = 0;
    d->argv[n++] = "stint-discover";
    if (args_has(args, "dry-run"))
        d->argv[n++] = "-n";
    if (args_has(args, "limit")) {
        (void)snprintf(
            d->limit, sizeof(d->limit), "%lld", (long long)args_number(args, "limit", 0));
        d->argv[n++] = "--limit";
        d->argv[n++] = d->limit;
    }
    d->argv[n++] = args->words[0];
    d->argv[n] = NULL;
}

static enum rc start(
    struct cli *cli, const struct discover_args *d, int out, pid_t *ret_pid, struct err *err)
{
    struct buf packed CLEANUP(buf_fini) = BUF_INIT;
    char *path CLEANUP_FREE = NULL;
    int conf CLEANUP_FD = -1;
    config_sources_pack(&cli->sources, &packed);
    enum rc rc = sys_find_program("stint-discover", &path, err);
    if (!rc)
        rc = sys_memfd("stint-config", buf_str(&packed), packed.len, true, &conf, err);
    if (rc)
        return rc;
    const struct spawn_fd fds[] = {{out, STDOUT_FILENO}, {conf, FD_DISCOVER_CONFIG}};
    const struct spawn_opts opts = {.path = path,
        .argv = (char *const *)(uintptr_t)d->argv,
        .fds = fds,
        .fds_len = 2,
        .parent_death_signal = SIGKILL,
        .umask = -1};
    return spawn(&opts, ret_pid, NULL, err);
}

/* Its exit status, or 128 + signal. */
static int reap(pid_t pid)
{
    int pidfd CLEANUP_FD = sys_pidfd_open(pid);
    struct proctree_end end;
    for (;;) {
        (void)loop_wait_fd(pidfd, LOOP_NEVER);
        while (proctree_reap(&end) == RC_ROW)
            if (end.pid == pid)
                return WIFEXITED(end.status) ? WEXITSTATUS(end.status) : 128 + WTERMSIG(end.status);
    }
}

static int64_t number(const json_t *report, const char *name)
{
    return json_integer_value(json_object_get(report, name));
}

static void show_json(const json_t *report)
{
    json_t *shown = json_object();
    (void)json_object_set_new(shown, "schema", json_string("stint.discover/1"));
    (void)json_object_update(shown, (json_t *)(uintptr_t)report);
    char *dump CLEANUP_FREE = json_dumps(shown, JSON_COMPACT);
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    buf_addf(&text, "%s\n", dump ? dump : "null");
    cli_print(&text);
    json_decref(shown);
}

static void show_text(const struct cli *cli, const json_t *report)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    bool is_dry = args_has(cli->args, "dry-run");
    char n[5][32];
    size_t i;
    json_t *example;
    buf_addf(&text, "%s: %s found: %s%s new, %s merged, %s reopened, %s unchanged\n",
        cli->args->words[0], text_count(number(report, "found"), n[0], sizeof(n[0])),
        is_dry ? "would be " : "", text_count(number(report, "new"), n[1], sizeof(n[1])),
        text_count(number(report, "merged"), n[2], sizeof(n[2])),
        text_count(number(report, "reopened"), n[3], sizeof(n[3])),
        text_count(number(report, "unchanged"), n[4], sizeof(n[4])));
    if (is_dry || cli->is_verbose)
        json_array_foreach(json_object_get(report, "examples"), i, example)
        {
            char *dump = json_is_string(example) ? NULL : json_dumps(example, JSON_COMPACT);
            const char *shown = dump ? dump : json_string_value(example);
            buf_adds(&text, "  ");
            if (shown)
                text_add_printable(&text, shown, strlen(shown));
            buf_addc(&text, '\n');
            free(dump);
        }
    cli_print(&text);
    if (is_dry)
        cli_say(cli, "Nothing changed.");
    else
        cli_mention_no_pool(cli);
}

static enum cli_exit show_report(struct cli *cli, const struct buf *out)
{
    json_t *report = json_loadb(buf_str(out), out->len, 0, NULL);
    if (!json_is_object(report)) {
        json_decref(report);
        return cli_fail(CLI_FAILED, "stint-discover ended without a report");
    }
    if (!args_has(cli->args, "dry-run")) {
        cli_wake(cli, number(report, "new") + number(report, "reopened"));
        cli_checkpoint(cli);
    }
    if (cli->is_json)
        show_json(report);
    else if (!cli->is_quiet)
        show_text(cli, report);
    json_decref(report);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct job_spec *job = gone_or_job(cli, cli->args->words[0]);
    if (!job)
        return CLI_USAGE;
    if (job->discover == DISCOVER_MANUAL)
        return cli_fail(CLI_USAGE,
            "job %s has no discovery: its items come by stint add %s KEY…, or "
            "configure one: discover = list FILE",
            job->name, job->name);
    enum cli_exit code = args_has(cli->args, "dry-run") ? CLI_OK : cli_open_write(cli);
    if (code != CLI_OK)
        return code;
    struct discover_args d;
    struct buf out CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    int pipe_fds[2] = {-1, -1};
    pid_t pid = 0;
    fill_args(&d, cli->args);
    enum rc rc = sys_pipe(pipe_fds, false, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    rc = start(cli, &d, pipe_fds[1], &pid, &err);
    (void)close(pipe_fds[1]);
    int from CLEANUP_FD = pipe_fds[0];
    if (rc)
        return cli_fail_rc(rc, &err);
    rc = sys_read_fd(from, REPORT_MAX_BYTES, &out, &err);
    int status = reap(pid);
    if (status)
        return status < 128 ? (enum cli_exit)status : CLI_FAILED;
    return rc ? cli_fail_rc(rc, &err) : show_report(cli, &out);
}

static const struct flag flags[] = {
    FLAG_DRY_RUN,
    {.name = "limit",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = LIMIT_MAX,
        .help = "stop after N items found"},
    {.name = NULL},
};

const struct command command_discover = {
    .name = "discover",
    .group = GROUP_WORK,
    .usage = "JOB [-n] [--limit N]",
    .help = "find a job's items now",
    .flags = flags,
    .words = {WORD_JOB},
    .words_min = 1,
    .words_max = 1,
    .needs = NEED_CONFIG,
    .run = run,
};
