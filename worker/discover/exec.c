#include "worker/discover/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/words.h"
#include "common/records/records.h"

#define STDERR_TAIL_BYTES 4096
#define READ_BYTES (64 << 10)
#define PAUSE_MS 200 /* a source that is silent this long gets its items added now */

/* The program while it runs. */
struct lister {
    const struct listing *listing;
    pid_t pid;
    int pidfd, out, errs;   /* −1: closed */
    struct records records; /* of standard output */
    struct buf tail;        /* of standard error */
    int status;             /* as wait(2) */
};

static void words_drop(char ***words)
{
    words_free(*words);
}

static void close_fd(int *fd)
{
    cleanup_fd(fd);
    *fd = -1;
}

static bool reap(struct lister *p)
{
    struct proctree_end end;
    while (proctree_reap(&end) == RC_ROW) {
        if (end.pid != p->pid)
            continue;
        p->status = end.status;
        p->pid = 0;
    }
    return p->pid == 0;
}

/* Kills what is left of the program and waits for its own end. */
static void end_lister(struct lister *p)
{
    if (p->pid > 0) {
        (void)sys_pidfd_signal(p->pidfd, SIGKILL);
        struct pollfd end = {.fd = p->pidfd, .events = POLLIN};
        while (!reap(p) && (poll(&end, 1, -1) >= 0 || errno == EINTR))
            ;
    }
    (void)proctree_kill_strangers(NULL, 0);
    close_fd(&p->pidfd);
    close_fd(&p->out);
    close_fd(&p->errs);
    records_fini(&p->records);
    buf_fini(&p->tail);
}

/* Is entry replaced by a variable of the job's configuration? */
static bool is_configured(const struct env *env, const char *entry)
{
    size_t len = strcspn(entry, "=");
    for (size_t i = 0; i < env->len; i++) {
        if (strncmp(env->list[i].entry, entry, len) == 0 && env->list[i].entry[len] == '=')
            return true;
    }
    return false;
}

/* Ours, with the job's env.NAME. The strings are borrowed. */
static char **lister_env(const struct env *env)
{
    size_t n = 0, len = 0;
    while (environ[n])
        n++;
    char **envp = xcalloc(n + env->len + 1, sizeof(*envp));
    for (size_t i = 0; i < env->len; i++)
        envp[len++] = env->list[i].entry;
    for (size_t i = 0; i < n; i++) {
        if (!is_configured(env, environ[i]))
            envp[len++] = environ[i];
    }
    return envp;
}

static enum rc start_lister(struct lister *p, char **words, struct err *err)
{
    int out[2] = {-1, -1}, errs[2] = {-1, -1};
    enum rc rc = sys_pipe(out, false, err);
    if (rc == RC_OK)
        rc = sys_pipe(errs, false, err);
    CLEANUP_FD int child_out = out[1];
    CLEANUP_FD int child_errs = errs[1];
    p->out = out[0];
    p->errs = errs[0];
    if (rc != RC_OK)
        return rc;
    if (sys_set_nonblock(p->out, true) != RC_OK || sys_set_nonblock(p->errs, true) != RC_OK)
        return err_set(err, RC_SYS, "cannot make a pipe non-blocking");

    const char *directory = p->listing->config->directory;
    CLEANUP_FREE char *path = strchr(words[0], '/') ? sys_path_join(directory, words[0]) : NULL;
    struct spawn_fd fds[] = {{child_out, STDOUT_FILENO}, {child_errs, STDERR_FILENO}};
    CLEANUP_FREE char **envp = lister_env(&p->listing->job->env);
    struct spawn_opts opts = {.path = path ? path : words[0],
        .argv = words,
        .envp = envp,
        .cwd = directory,
        .fds = fds,
        .fds_len = 2,
        .is_no_new_privs = true,
        .parent_death_signal = SIGKILL,
        .umask = -1};
    rc = spawn(&opts, &p->pid, NULL, err);
    if (rc == RC_NOTFOUND) /* a program that is not there is a wrong configuration */
        return RC_INVALID;
    if (rc != RC_OK)
        return rc;
    p->pidfd = sys_pidfd_open(p->pid);
    return p->pidfd >= 0 ? RC_OK : err_sys(err, errno, "cannot watch process %d", (int)p->pid);
}

/* What is there now. */
static enum rc read_out(struct lister *p, struct err *err)
{
    enum rc rc = listing_take(p->listing, &p->records, err);
    if (rc == RC_AGAIN)
        return RC_OK;
    close_fd(&p->out);
    return rc;
}

static void read_errs(struct lister *p)
{
    enum rc got;
    do {
        got = sys_read_avail(p->errs, p->tail.len + READ_BYTES, &p->tail);
        if (p->tail.len > STDERR_TAIL_BYTES)
            buf_drop(&p->tail, p->tail.len - STDERR_TAIL_BYTES);
    } while (got == RC_LIMIT);
    if (got != RC_AGAIN)
        close_fd(&p->errs);
}

/* Until the program itself has ended: a grandchild that holds its output open delays nothing. */
static enum rc follow(struct lister *p, struct err *err)
{
    for (bool has_ended = false; !has_ended;) {
        struct collect *collect = p->listing->collect;
        struct pollfd fds[] = {{.fd = p->pidfd, .events = POLLIN}, {.fd = p->out, .events = POLLIN},
            {.fd = p->errs, .events = POLLIN}};
        int n = poll(fds, 3, collect_is_empty(collect) ? -1 : PAUSE_MS);
        if (n < 0 && errno != EINTR)
            return err_sys(err, errno, "cannot wait for process %d", (int)p->pid);
        has_ended = n > 0 && fds[0].revents != 0;
        enum rc rc = n == 0 ? collect_flush(collect, err) : RC_OK;
        if (rc == RC_OK && p->out >= 0)
            rc = read_out(p, err);
        if (p->errs >= 0)
            read_errs(p);
        if (rc != RC_OK)
            return rc;
    }
    while (!reap(p)) /* its end has been seen: at most one more round */
        ;
    records_end(&p->records);
    return listing_take(p->listing, &p->records, err);
}

static void describe_status(int status, char *out, size_t cap)
{
    if (WIFSIGNALED(status))
        snprintf(out, cap, "signal %d", WTERMSIG(status));
    else
        snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
}

/* As for any handler: trying again would not help. */
static bool is_permanent(int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return (code >= 64 && code <= 68) || code == 70 || code == 100;
}

static enum rc judge(const struct lister *p, struct err *err)
{
    if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0)
        return RC_OK;
    char how[32];
    describe_status(p->status, how, sizeof(how));
    CLEANUP(buf_fini) struct buf tail = BUF_INIT;
    const char *said = buf_str(&p->tail);
    size_t len = p->tail.len;
    while (len > 0 && (said[len - 1] == '\n' || said[len - 1] == '\r'))
        len--;
    text_add_printable(&tail, said, len);
    size_t skip = tail.len > 400 ? tail.len - 400 : 0;
    return err_set(err, is_permanent(p->status) ? RC_INVALID : RC_SYS,
        "[job %s]: discover = exec %.160s ended with %s%s%s; run it by hand "
        "in %s",
        p->listing->job->name, p->listing->job->discover_arg, how, tail.len ? ": " : "",
        buf_str(&tail) + skip, p->listing->config->directory);
}

enum rc exec_strategy(const struct listing *l, struct err *err)
{
    CLEANUP(words_drop) char **words = NULL;
    CLEANUP(end_lister) struct lister p = {.listing = l, .pidfd = -1, .out = -1, .errs = -1};
    size_t words_len;
    enum rc rc = words_split(l->job->discover_arg, &words, &words_len, err);
    if (rc == RC_OK)
        rc = proctree_become_subreaper(err);
    if (rc == RC_OK)
        rc = start_lister(&p, words, err);
    if (rc != RC_OK)
        return err_prefix(err, rc, "[job %s]: discover = exec", l->job->name);
    struct records_opts opts = listing_records_opts(l);
    opts.format = FORMAT_JSONL;
    records_init(&p.records, p.out, l->job->discover_arg, &opts);
    collect_set_source(l->collect, l->job->discover_arg);
    rc = follow(&p, err);
    if (rc != RC_OK) /* RC_DONE: the limit is reached; the program is not needed any more */
        return rc == RC_DONE ? RC_OK : rc;
    return judge(&p, err);
}
