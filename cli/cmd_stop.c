/* stop: asks the pool to stop, and waits until nobody of it has the database open: its supervisor
 * ends after its keeper and workers, and a stint run around it looks once more when it has ended.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/loop.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/locks.h"
#include "common/base/sys.h"

#define FRONT_NS (10 * NS_PER_S) /* to say its last words */

/* A descriptor of the process that answers on the socket. The pid could have been another's when it
 * was opened; so the pool must say the same pid again afterwards. */
static int open_pool(const struct cli *cli)
{
    int pidfd = sys_pidfd_open((pid_t)pool_number(cli, "pid", -1));
    if (pidfd < 0)
        return -1;
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    if (cli_ask(cli, "ping", &payload, NULL) == RC_OK) {
        json_t *pong = json_loadb(buf_str(&payload), payload.len, 0, NULL);
        int64_t pid = json_integer_value(json_object_get(pong, "pid"));
        json_decref(pong);
        if (pid == pool_number(cli, "pid", -1))
            return pidfd;
    }
    (void)close(pidfd);
    return -1;
}

/* The stint run around it; −1: there is none. */
static int open_front(pid_t pool, pid_t *ret_pid)
{
    char name[32];
    pid_t pid = sys_proc_parent(pool);
    locks_read_name(pid, name, sizeof(name));
    int fd = strcmp(name, "stint") == 0 ? sys_pidfd_open(pid) : -1;
    *ret_pid = pid;
    if (fd < 0 || sys_proc_parent(pool) == pid)
        return fd;
    (void)close(fd);
    return -1;
}

/* Whoever puts another file in the database's place now must be alone with it. */
static enum cli_exit await_front(int fd, pid_t pid)
{
    if (fd < 0)
        return CLI_OK;
    if (sys_proc_state(pid) == 'T') /* by Ctrl-Z: there is nothing left to hold back */
        (void)sys_pidfd_signal(fd, SIGCONT);
    if (loop_wait_fd(fd, clock_mono_ns() + FRONT_NS))
        return CLI_OK;
    return cli_fail(CLI_FAILED,
        "the pool has stopped, but its stint run (pid %d) has not ended and may still look at the "
        "database: is its output read? Leave the files alone until it is gone: kill -KILL %d",
        (int)pid, (int)pid);
}

static enum cli_exit run(struct cli *cli)
{
    struct err err = {""};
    bool is_now = args_has(cli->args, "now");
    pid_t front_pid;
    int pidfd CLEANUP_FD = open_pool(cli);
    int front CLEANUP_FD = open_front((pid_t)pool_number(cli, "pid", -1), &front_pid);
    enum rc rc = cli_ask(cli, is_now ? "stop now" : "stop", NULL, &err);
    if (rc)
        return pool_fail(cli, rc, &err);
    if (pidfd < 0)
        return cli_fail(CLI_FAILED, "the pool was told to stop, but its process cannot be watched "
                                    "from here; see: stint status");
    if (!is_now && !cli->is_json)
        cli_say(cli, "stopping: what runs is finished first (at once: stint stop --now)");
    (void)loop_wait_fd(pidfd, LOOP_NEVER);
    enum cli_exit code = await_front(front, front_pid);
    if (code)
        return code;
    if (cli->is_json) {
        struct buf text CLEANUP(buf_fini) = BUF_INIT;
        buf_addf(&text, "{\"schema\":\"stint.stop/1\",\"stopped\":true,\"pid\":%" PRId64 "}\n",
            pool_number(cli, "pid", 0));
        cli_print(&text);
    } else {
        cli_say(cli, "stopped");
    }
    return CLI_OK;
}

static const struct flag flags[] = {
    {.name = "now",
        .type = FLAG_BOOL,
        .help = "end what runs at once; it runs again at the next start"},
    {.name = NULL},
};

const struct command command_stop = {
    .name = "stop",
    .group = GROUP_OPERATE,
    .usage = "[--now]",
    .help = "stop the pool and wait until it is gone",
    .text =
        "What runs is finished first; --now gives it back. Exit status 3 if no pool is running.\n",
    .flags = flags,
    .needs = NEED_CONFIG | NEED_POOL,
    .run = run,
};
