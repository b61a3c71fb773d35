/* run: the pool in the foreground: stintd as a child in its own process group, signals passed on,
 * its exit status ours. What is shown meanwhile is run_show's business. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/loop.h"
#include "cli/run_show.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"

static const int passed_on[] = {
    SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGTTIN, SIGTTOU};

struct pool {
    struct cli *cli;
    pid_t pid;
    int pidfd, signals;
    int status; /* as of wait, once it has ended */
    bool has_ended;
    struct run_show show;
};

/* From here on signals are read from a descriptor, in the loop. */
static int take_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
        sigaddset(&set, passed_on[i]);
    sigaddset(&set, SIGCHLD);
    /* A reader that leaves must not take the pool with it. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored by whoever started us, it would hide the end */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static const char *log_level(const struct cli *cli)
{
    if (cli->is_verbose)
        return "info";
    return cli->is_quiet || cli->is_terminal ? "warn" : "info";
}

static enum rc start(struct pool *pool, struct err *err)
{
    struct cli *cli = pool->cli;
    char *path CLEANUP_FREE = NULL;
    enum rc rc = sys_find_program("stintd", &path, err);
    if (rc)
        return rc;
    /* Whoever runs it in the foreground reads it there. */
    const char *argv[11] = {
        "stintd", "-c", cli->conf, "--log", "stderr", "--log-level", log_level(cli)};
    size_t n = 7;
    if (args_has(cli->args, "drain"))
        argv[n++] = "--drain";
    if (args_has(cli->args, "workers")) {
        argv[n++] = "--workers";
        argv[n++] = args_text(cli->args, "workers");
    }
    const struct spawn_opts opts = {.path = path,
        .argv = (char *const *)(uintptr_t)argv,
        .parent_death_signal = SIGTERM,
        .umask = -1};
    rc = spawn(&opts, &pool->pid, NULL, err);
    if (rc)
        return rc;
    pool->pidfd = sys_pidfd_open(pool->pid);
    if (pool->pidfd < 0)
        return err_sys(err, errno, "cannot watch stintd");
    return RC_OK;
}

/* A terminal that is gone cannot be answered any more. */
static bool is_hung_up(const struct pool *pool, int signum)
{
    return signum == SIGHUP && pool->cli->is_terminal && !isatty(STDERR_FILENO);
}

static void pass_on(struct pool *pool, int signum)
{
    if (is_hung_up(pool, signum))
        signum = SIGTERM; /* else HUP means reload */
    if (signum == SIGINT || signum == SIGTERM || signum == SIGQUIT)
        run_show_stopping(&pool->show);
    (void)sys_pidfd_signal(pool->pidfd, signum);
    /* Ctrl-Z: the pool claims nothing any more, and the shell gets its terminal back; fg sends both
     * of us SIGCONT. */
    if (signum == SIGTSTP && pool->cli->is_terminal) {
        progress_clear(&pool->show.progress);
        (void)raise(SIGSTOP);
    }
}

/* As PID 1 of a container we inherit strangers: they are reaped, too. */
static void reap(struct pool *pool)
{
    struct proctree_end end;
    while (proctree_reap(&end) == RC_ROW)
        if (end.pid == pool->pid) {
            pool->status = end.status;
            pool->has_ended = true;
        }
}

static void read_signals(struct pool *pool)
{
    struct signalfd_siginfo info;
    while (read(pool->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (info.ssi_signo == SIGCHLD)
            reap(pool);
        else
            pass_on(pool, (int)info.ssi_signo);
}

static int watch_over(struct pool *pool)
{
    while (!pool->has_ended) {
        struct pollfd fds[] = {{.fd = pool->pidfd, .events = POLLIN},
            {.fd = pool->signals, .events = POLLIN},
            {.fd = run_show_fd(&pool->show), .events = POLLIN}};
        if (!loop_wait(fds, 3, run_show_due_ns(&pool->show)))
            run_show_look(&pool->show);
        if (fds[1].revents)
            read_signals(pool);
        if (fds[2].revents)
            follow_on_sign(&pool->show.follow);
        if (fds[0].revents)
            reap(pool);
    }
    return pool->status;
}

static enum cli_exit conclude(struct pool *pool, int status)
{
    if (WIFSIGNALED(status)) {
        int signum = WTERMSIG(status);
        progress_clear(&pool->show.progress);
        return cli_fail((enum cli_exit)(128 + signum),
            "stintd was killed by signal %d (%s); what "
            "was in flight runs again with the next: stint run",
            signum, strsignal(signum));
    }
    run_show_end(&pool->show, WEXITSTATUS(status));
    return (enum cli_exit)WEXITSTATUS(status);
}

static enum cli_exit run(struct cli *cli)
{
    struct pool pool = {.cli = cli, .pidfd = -1};
    struct err err = {""};
    pool.signals = take_signals();
    if (pool.signals < 0)
        return cli_fail(CLI_FAILED, "cannot read signals: %s", strerror(errno));
    if (cli->config->jobs_len == 0)
        cli_say(cli,
            "no job is configured in %s: there is nothing to do. Add a section [job NAME], "
            "or look at an example: stint init DIR",
            cli->conf);
    run_show_init(&pool.show, cli);
    enum rc rc = start(&pool, &err);
    enum cli_exit code = rc ? cli_fail_rc(rc, &err) : conclude(&pool, watch_over(&pool));
    run_show_fini(&pool.show);
    (void)close(pool.signals);
    if (pool.pidfd >= 0)
        (void)close(pool.pidfd);
    return code;
}

static const struct flag flags[] = {
    {.name = "drain",
        .type = FLAG_BOOL,
        .help = "end when everything is at rest: 0 if all is done or skipped, else 1"},
    {.name = "workers",
        .type = FLAG_INT,
        .value = "N",
        .min = 1,
        .max = 512,
        .help = "so many workers, whatever [pool] says"},
    {.name = NULL},
};

const struct command command_run = {
    .name = "run",
    .group = GROUP_START,
    .usage = "[--drain] [--workers N]",
    .help = "run the pool in the foreground",
    .text =
        "Ctrl-C stops it when what runs is finished; twice: at once. What was interrupted runs\n"
        "again at the next start.\n\n"
        "  stint run             until stopped\n"
        "  stint run --drain     until all work is at rest\n",
    .flags = flags,
    .needs = NEED_FILES,
    .run = run,
};
