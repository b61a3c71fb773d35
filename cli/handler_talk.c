#include "cli/handler_talk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/loop.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"

#define CONTROL_FD 3
#define SWEEP_NS (20 * NS_PER_MS)

extern char **environ;

/* The pool's words, as worker/env.c has them. */
static char **make_environment(const struct handler_talk *t, const char *key)
{
    size_t len = 0, n = 0;
    while (environ[len])
        len++;
    char **envp = xcalloc(len + 8, sizeof(*envp));
    for (size_t i = 0; i < len; i++)
        if (strncmp(environ[i], "STINT_JOB=", 10) != 0 &&
            strncmp(environ[i], "STINT_ITEM=", 11) != 0 &&
            strncmp(environ[i], "STINT_CONTROL_FD=", 17) != 0)
            envp[n++] = xstrdup(environ[i]);
    envp[n++] = xstrdup("STINT_JOB=check");
    envp[n++] = xstrdup("STINT_STAGE=check");
    envp[n++] = xstrdup("STINT_POOL_ID=check");
    if (!t->is_resident)
        envp[n++] = xasprintf("STINT_CONTROL_FD=%d", CONTROL_FD);
    if (t->is_resident || !key)
        return envp;
    envp[n++] = xasprintf("STINT_ITEM=%s", key);
    envp[n++] = xstrdup("STINT_ATTEMPT=1");
    envp[n++] = xstrdup("STINT_CLAIM=0-1");
    return envp;
}

static enum rc open_pipe(int *ret_ours, int *ret_its, bool is_ours_read, struct err *err)
{
    int fds[2];
    enum rc rc = sys_pipe(fds, false, err);
    if (rc)
        return rc;
    *ret_ours = fds[is_ours_read ? 0 : 1];
    *ret_its = fds[is_ours_read ? 1 : 0];
    return sys_set_nonblock(*ret_ours, true);
}

struct its_fds {
    int in, said, out, errors;
};

static enum rc open_fds(
    struct handler_talk *t, const struct buf *request, struct its_fds *its, struct err *err)
{
    enum rc rc;
    if (t->is_resident)
        rc = open_pipe(&t->in_fd, &its->in, false, err);
    else
        rc = sys_memfd("stint-request", request->data, request->len, true, &its->in, err);
    if (rc == RC_OK && !t->is_resident) {
        (void)lseek(its->in, 0, SEEK_SET);
        rc = open_pipe(&t->out_fd, &its->out, true, err);
    }
    if (rc == RC_OK)
        rc = open_pipe(&t->said_fd, &its->said, true, err);
    return rc ? rc : open_pipe(&t->err_fd, &its->errors, true, err);
}

static enum rc start(struct handler_talk *t, char *const *argv, const char *key,
    const struct its_fds *its, int *ret_errno, struct err *err)
{
    const struct spawn_fd exec_fds[] = {
        {its->in, 0}, {its->out, 1}, {its->errors, 2}, {its->said, CONTROL_FD}};
    const struct spawn_fd resident_fds[] = {{its->in, 0}, {its->said, 1}, {its->errors, 2}};
    char **envp = make_environment(t, key);
    const struct spawn_opts opts = {
        .path = argv[0],
        .argv = argv,
        .envp = envp,
        .fds = t->is_resident ? resident_fds : exec_fds,
        .fds_len = t->is_resident ? 3 : 4,
        .is_new_session = true,
        .is_no_new_privs = true,
        .parent_death_signal = SIGKILL,
        .umask = -1,
    };
    enum rc rc = spawn(&opts, &t->pid, ret_errno, err);
    for (size_t i = 0; envp[i]; i++)
        free(envp[i]);
    free(envp);
    return rc;
}

enum rc handler_start(struct handler_talk *t, char *const *argv, const char *key,
    const struct buf *request, int *ret_errno, struct err *err)
{
    struct its_fds its = {-1, -1, -1, -1};
    buf_fini(&t->output); /* of a talk before */
    buf_fini(&t->errors);
    *t = (struct handler_talk){.is_resident = !request,
        .pidfd = -1,
        .in_fd = -1,
        .said_fd = -1,
        .out_fd = -1,
        .err_fd = -1};
    enum rc rc = proctree_become_subreaper(err);
    if (rc == RC_OK)
        rc = open_fds(t, request, &its, err);
    if (rc == RC_OK)
        rc = start(t, argv, key, &its, ret_errno, err);
    cleanup_fd(&its.in);
    cleanup_fd(&its.said);
    cleanup_fd(&its.out);
    cleanup_fd(&its.errors);
    if (rc == RC_OK)
        t->pidfd = sys_pidfd_open(t->pid);
    return rc;
}

static void shut(int *fd)
{
    cleanup_fd(fd);
    *fd = -1;
}

void handler_say(struct handler_talk *t, const struct buf *text, bool is_last)
{
    if (text)
        buf_add(&t->to_write, text->data, text->len);
    t->is_in_over = is_last;
}

static void write_on(struct handler_talk *t)
{
    while (t->in_fd >= 0 && t->to_write.len > 0) {
        ssize_t n = write(t->in_fd, t->to_write.data, t->to_write.len);
        if (n > 0)
            buf_drop(&t->to_write, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            return;
        else if (n == 0 || errno != EINTR)
            shut(&t->in_fd); /* it reads no more; it will be seen to end, or not to answer */
    }
    if (t->is_in_over && t->to_write.len == 0)
        shut(&t->in_fd);
}

/* max: so much is kept; of standard error the end, of all else the beginning. */
static void read_rest(int *fd, struct buf *out, size_t max, bool is_tail, bool *ret_is_cut)
{
    enum rc rc = *fd >= 0 ? sys_read_avail(*fd, max + (is_tail ? 4096 : 0), out) : RC_AGAIN;
    if (is_tail && out->len > max)
        buf_drop(out, out->len - max);
    if (ret_is_cut && rc == RC_LIMIT)
        *ret_is_cut = true;
    if (rc != RC_AGAIN && !(is_tail && rc == RC_LIMIT))
        shut(fd);
}

static void read_said(struct handler_talk *t)
{
    if (t->said_fd < 0)
        return;
    struct buf *room = stream_room(&t->said);
    enum rc rc = sys_read_avail(t->said_fd, stream_wants(&t->said), room);
    if (rc == RC_AGAIN || rc == RC_LIMIT)
        return;
    stream_end(&t->said);
    shut(&t->said_fd);
}

/* It has ended; whoever else holds the descriptor is not waited for. */
static void read_last(struct handler_talk *t)
{
    size_t before = t->said.data.len;
    read_said(t);
    if (t->said_fd < 0 || t->said.data.len > before)
        return;
    stream_end(&t->said);
    shut(&t->said_fd);
}

static void reap(struct handler_talk *t)
{
    struct proctree_end end;
    while (proctree_reap(&end) == RC_ROW)
        if (end.pid == t->pid && !t->is_ended) {
            t->is_ended = true;
            t->status = end.status;
        }
}

/* One turn: writes, reads and reaps what there is; false at the deadline. */
static bool turn(struct handler_talk *t, int64_t deadline_mono_ns)
{
    struct pollfd fds[] = {
        {.fd = t->to_write.len > 0 ? t->in_fd : -1, .events = POLLOUT},
        {.fd = t->said_fd, .events = POLLIN},
        {.fd = t->out_fd, .events = POLLIN},
        {.fd = t->err_fd, .events = POLLIN},
        {.fd = t->is_ended ? -1 : t->pidfd, .events = POLLIN},
    };
    write_on(t);
    bool is_ready = loop_wait(fds, sizeof(fds) / sizeof(fds[0]), deadline_mono_ns);
    reap(t); /* before the reading: what it wrote before its end is there then */
    read_said(t);
    read_rest(&t->out_fd, &t->output, HANDLER_STDOUT_MAX, false, &t->is_output_cut);
    read_rest(&t->err_fd, &t->errors, HANDLER_STDERR_MAX, true, NULL);
    return is_ready;
}

enum handler_heard handler_hear(struct handler_talk *t, int64_t deadline_mono_ns,
    const char **ret_line, size_t *ret_len, struct err *err)
{
    for (;;) {
        enum rc rc = stream_next(&t->said, ret_line, ret_len, err);
        if (rc == RC_ROW)
            return HEARD_LINE;
        if (rc != RC_AGAIN)
            return HEARD_BAD;
        if (t->said_fd < 0 && (t->is_resident || t->is_ended))
            return HEARD_END;
        if (t->is_ended)
            read_last(t);
        else if (!turn(t, deadline_mono_ns) || clock_mono_ns() >= deadline_mono_ns)
            return HEARD_NOTHING;
    }
}

bool handler_await_end(struct handler_talk *t, int64_t deadline_mono_ns)
{
    while (!t->is_ended && clock_mono_ns() < deadline_mono_ns)
        (void)turn(t, deadline_mono_ns);
    return t->is_ended;
}

static void kill_all(struct handler_talk *t)
{
    size_t alive = proctree_kill_strangers(NULL, 0);
    t->left = t->is_ended ? alive : 0;
    while (alive > 0 || !t->is_ended) {
        (void)loop_wait(NULL, 0, clock_mono_ns() + SWEEP_NS);
        reap(t);
        alive = proctree_kill_strangers(NULL, 0);
    }
}

void handler_end(struct handler_talk *t)
{
    if (t->pid > 0 && t->pidfd >= 0) {
        kill_all(t);
        reap(t);
    }
    shut(&t->pidfd);
    shut(&t->in_fd);
    shut(&t->said_fd);
    shut(&t->out_fd);
    shut(&t->err_fd);
    t->pid = 0;
    buf_fini(&t->to_write);
    stream_fini(&t->said);
}
