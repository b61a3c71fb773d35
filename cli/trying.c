#include "cli/trying.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/loop.h"
#include "common/base/cleanup.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"

enum { READ_BYTES = 65536 };

struct its_fds {
    int nowhere, lifeline, mem, box, run, out;
};
#define ITS_FDS_INIT                                                                               \
    {                                                                                              \
        -1, -1, -1, -1, -1, -1                                                                     \
    }

static void its_fds_fini(struct its_fds *its)
{
    cleanup_fd(&its->nowhere);
    cleanup_fd(&its->lifeline);
    cleanup_fd(&its->mem);
    cleanup_fd(&its->box);
    cleanup_fd(&its->run);
    cleanup_fd(&its->out);
}

/* The configuration as a pool would have accepted it. */
static enum rc make_box(
    struct trying *t, const struct cli *cli, struct its_fds *its, struct err *err)
{
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    const struct config_stamp stamp = {1, 1};
    config_sources_pack(&cli->sources, &packed);
    enum rc rc = config_box_new(&its->box, &t->box, err);
    if (rc == RC_OK)
        rc = config_box_propose(t->box, its->box, &stamp, &packed, err);
    if (rc == RC_OK)
        config_box_accept(t->box, stamp.generation);
    return rc;
}

/* No pool's id: a pool that starts kills what bears its own. */
static enum rc make_memory(struct trying *t, struct its_fds *its, struct err *err)
{
    char id[48];
    (void)snprintf(id, sizeof(id), "try-%d", (int)getpid());
    enum rc rc = pool_mem_new(1, id, &its->mem, &t->mem, err);
    if (rc == RC_OK)
        atomic_store(&t->mem->spec_generation, 1);
    return rc;
}

static enum rc make_pipes(struct trying *t, struct its_fds *its, struct err *err)
{
    int fds[2];
    enum rc rc = sys_pipe(fds, false, err);
    if (rc)
        return rc;
    its->lifeline = fds[0];
    t->lifeline_fd = fds[1];
    rc = sys_pipe(fds, false, err);
    if (rc)
        return rc;
    t->out_fd = fds[0];
    its->out = fds[1];
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    its->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (t->wake_fd < 0 || its->nowhere < 0)
        return err_set(err, RC_SYS, "out of descriptors");
    return sys_set_nonblock(t->out_fd, true);
}

static enum rc start(struct trying *t, const struct its_fds *its, struct err *err)
{
    CLEANUP_FREE char *path = NULL;
    enum rc rc = sys_find_program("stint-worker", &path, err);
    if (rc)
        return rc;
    char slot[] = "0", life[] = "1", how[] = "--try";
    char *const argv[] = {path, slot, life, how, NULL};
    const struct spawn_fd fds[] = {
        {its->nowhere, FD_HEARTBEAT},
        {its->lifeline, FD_LIFELINE},
        {its->mem, FD_POOL},
        {its->box, FD_CONFIG},
        {t->wake_fd, FD_WAKE},
        {its->run, FD_TRIAL_RUN},
        {its->out, FD_TRIAL_OUT},
    };
    const struct spawn_opts opts = {
        .path = path,
        .argv = argv,
        .fds = fds,
        .fds_len = sizeof(fds) / sizeof(fds[0]),
        .umask = -1,
    };
    return spawn(&opts, &t->pid, NULL, err);
}

enum rc trying_start(
    struct trying *t, const struct cli *cli, const struct buf *run, struct err *err)
{
    CLEANUP(its_fds_fini) struct its_fds its = ITS_FDS_INIT;
    *t = (struct trying)TRYING_INIT;
    enum rc rc = make_box(t, cli, &its, err);
    if (!rc)
        rc = make_memory(t, &its, err);
    if (!rc)
        rc = make_pipes(t, &its, err);
    if (!rc)
        rc = sys_memfd("stint-run", run->data, run->len, true, &its.run, err);
    if (!rc && lseek(its.run, 0, SEEK_SET) < 0)
        rc = err_set(err, RC_SYS, "cannot read the run");
    if (!rc)
        rc = start(t, &its, err);
    if (!rc)
        t->pidfd = sys_pidfd_open(t->pid);
    return rc;
}

static void shut(int *fd)
{
    cleanup_fd(fd);
    *fd = -1;
}

static void on_signal(struct trying *t, int signum)
{
    const uint64_t order = WAKE_ORDER;
    if (t->signum != 0)
        shut(&t->lifeline_fd);
    t->signum = signum;
    atomic_fetch_or(&t->mem->flags, POOL_STOPPING | POOL_STOP_NOW);
    (void)write(t->wake_fd, &order, sizeof(order));
}

static bool take_line(struct trying *t, const char **ret_line)
{
    buf_drop(&t->text, t->taken);
    t->taken = 0;
    char *end = t->text.len > 0 ? memchr(t->text.data, '\n', t->text.len) : NULL;
    if (!end)
        return false;
    *end = '\0';
    t->taken = (size_t)(end - t->text.data) + 1;
    *ret_line = t->text.data;
    return true;
}

enum rc trying_next(struct trying *t, struct interrupt *i, const char **ret_line)
{
    for (;;) {
        int signum;
        if (take_line(t, ret_line))
            return RC_ROW;
        struct pollfd fds[] = {
            {.fd = t->out_fd, .events = POLLIN}, {.fd = i->fd, .events = POLLIN}};
        (void)loop_wait(fds, 2, LOOP_NEVER);
        while ((signum = interrupt_came(i)) != 0)
            on_signal(t, signum);
        enum rc rc = sys_read_avail(t->out_fd, t->text.len + READ_BYTES, &t->text);
        if (rc == RC_AGAIN || rc == RC_LIMIT ||
            (t->text.len > 0 && memchr(t->text.data, '\n', t->text.len)))
            continue;
        return RC_DONE;
    }
}

static void reap(struct trying *t)
{
    struct proctree_end end;
    for (bool is_ended = t->pid == 0; !is_ended;) {
        (void)loop_wait_fd(t->pidfd, LOOP_NEVER);
        while (proctree_reap(&end) == RC_ROW)
            if (end.pid == t->pid) {
                is_ended = true;
                t->status = end.status;
            }
    }
    t->pid = 0;
}

void trying_end(struct trying *t)
{
    if (!t)
        return;
    shut(&t->lifeline_fd);
    reap(t);
    shut(&t->pidfd);
    shut(&t->out_fd);
    shut(&t->wake_fd);
    if (t->mem)
        pool_mem_unmap(t->mem);
    config_box_unmap(t->box);
    t->mem = NULL;
    t->box = NULL;
    buf_fini(&t->text);
    t->taken = 0;
}
