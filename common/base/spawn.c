#include "common/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/proctree.h"
#include "common/base/script.h"

#define SPAWN_FDS_MAX 32
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum step {
    STEP_NONE,
    STEP_SESSION,
    STEP_NICE,
    STEP_USER,
    STEP_PARENT,
    STEP_CWD,
    STEP_FDS,
    STEP_LIMITS,
    STEP_PRIVS,
    STEP_EXEC,
};

static const char *const step_texts[] = {
    [STEP_NONE] = "",
    [STEP_SESSION] = "a session of its own",
    [STEP_NICE] = "its nice value",
    [STEP_USER] = "the rights of its user",
    [STEP_PARENT] = "its parent's death signal",
    [STEP_CWD] = "its working directory",
    [STEP_FDS] = "its descriptors",
    [STEP_LIMITS] = "its limits",
    [STEP_PRIVS] = "no_new_privs",
    [STEP_EXEC] = "exec",
};

/* Lives on the parent's stack. The child of vfork runs in the parent's memory while the parent
 * stands still, so what it writes here is its report; a child that dies on its way says nothing,
 * and its caller sees it end. */
struct plan {
    const struct spawn_opts *opts;
    char *const *envp;
    const char *search; /* directories of PATH; NULL: the path is used as it is */
    pid_t parent;
    struct spawn_fd fds[SPAWN_FDS_MAX];
    int highest; /* of the child's named descriptors, at least 2 */
    volatile int errnum;
    volatile enum step step;
};

/* From here to start(): only async-signal-safe calls, no allocation, no change of the parent's
 * memory but the plan. */

static void reset_signals(const sigset_t *changed)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = SIG_DFL;
    for (int signum = 1; signum < NSIG; signum++)
        if (changed == NULL || sigismember(changed, signum) == 1)
            (void)sigaction(signum, &action, NULL);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool is_named(const struct plan *plan, int to)
{
    for (size_t i = 0; i < plan->opts->fds_len; i++) {
        if (plan->fds[i].to == to)
            return true;
    }
    return false;
}

/* /dev/null for 0 and 1; 2 stays what it is, unless it is closed. */
static bool fill_standard(const struct plan *plan)
{
    for (int to = 0; to <= 2; to++) {
        if (is_named(plan, to))
            continue;
        if (to == 2 && fcntl(2, F_SETFD, 0) == 0)
            continue;
        int fd = open("/dev/null", O_RDWR);
        if (fd < 0 || (fd != to && dup2(fd, to) < 0))
            return false;
        if (fd != to)
            (void)close(fd);
    }
    return true;
}

/* Two passes, because one entry's source may be another's target: first every source out of the
 * way of all targets, then each to its place. */
static bool place_fds(struct plan *plan)
{
    for (size_t i = 0; i < plan->opts->fds_len; i++) {
        struct spawn_fd *fd = &plan->fds[i];
        if (fd->from == fd->to || fd->from > plan->highest)
            continue;
        fd->from = fcntl(fd->from, F_DUPFD_CLOEXEC, plan->highest + 1);
        if (fd->from < 0)
            return false;
    }
    for (size_t i = 0; i < plan->opts->fds_len; i++) {
        const struct spawn_fd *fd = &plan->fds[i];
        if (fd->from == fd->to ? fcntl(fd->to, F_SETFD, 0) < 0 : dup2(fd->from, fd->to) < 0)
            return false;
    }
    if (!fill_standard(plan))
        return false;
    for (int fd = 3; fd < plan->highest; fd++) {
        if (!is_named(plan, fd))
            (void)close(fd);
    }
    return close_range((unsigned)plan->highest + 1, ~0u, 0) == 0;
}

/* System calls, not glibc's wrappers: those may want to tell other threads. The way back to root
 * must be closed, too. */
static bool become(const struct spawn_user *user)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    if (syscall(SYS_setgroups, user->groups_len, user->groups) != 0 ||
        syscall(SYS_setresgid, user->gid, user->gid, user->gid) != 0 ||
        syscall(SYS_setresuid, user->uid, user->uid, user->uid) != 0)
        return false;
    errno = EPERM;
    return getresuid(&ruid, &euid, &suid) == 0 && getresgid(&rgid, &egid, &sgid) == 0 &&
           ruid == user->uid && euid == user->uid && suid == user->uid && rgid == user->gid &&
           egid == user->gid && sgid == user->gid &&
           (user->uid == 0 || syscall(SYS_setresuid, -1, 0, -1) != 0);
}

static bool set_limits(const struct spawn_opts *opts)
{
    for (size_t i = 0; i < opts->limits_len; i++) {
        if (setrlimit((enum __rlimit_resource)opts->limits[i].resource, &opts->limits[i].value) !=
            0)
            return false;
    }
    return true;
}

/* What only the parent's rights allow, then the child's own. */
static enum step take_rights(const struct spawn_opts *opts)
{
    if (opts->cgroup_fd > 0)
        (void)!write(opts->cgroup_fd, "0", 1); /* refused: it stays in the parent's group */
    if (opts->nice > 0 &&
        setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + opts->nice) != 0)
        return STEP_NICE;
    return opts->user && !become(opts->user) ? STEP_USER : STEP_NONE;
}

static enum step prepare(struct plan *plan)
{
    const struct spawn_opts *opts = plan->opts;
    reset_signals(opts->changed_signals);
    if (opts->is_new_session ? setsid() < 0 : setpgid(0, 0) < 0)
        return STEP_SESSION;
    enum step failed = take_rights(opts);
    if (failed)
        return failed;
    if (opts->parent_death_signal) { /* another user's rights would clear it */
        if (prctl(PR_SET_PDEATHSIG, (unsigned long)opts->parent_death_signal, 0L, 0L, 0L) != 0)
            return STEP_PARENT;
        if (getppid() != plan->parent) /* died before the line above: nobody will signal us */
            _exit(1);
    }
    if (opts->umask >= 0)
        (void)umask((mode_t)opts->umask);
    if (opts->cwd && chdir(opts->cwd) != 0)
        return STEP_CWD;
    if (!place_fds(plan))
        return STEP_FDS;
    if (!set_limits(opts))
        return STEP_LIMITS;
    if (opts->is_no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        return STEP_PRIVS;
    if (opts->pid_word)
        atomic_store(opts->pid_word, (uint32_t)getpid());
    return STEP_EXEC;
}

/* The rule of execvp: ENOENT and ENOTDIR mean the next directory, EACCES too but is remembered. */
static int exec_search(const struct plan *plan)
{
    char path[PATH_MAX];
    const char *name = plan->opts->path;
    size_t name_len = strlen(name);
    int errnum = ENOENT;
    for (const char *dir = plan->search;; dir++) {
        const char *end = strchr(dir, ':');
        size_t len = end ? (size_t)(end - dir) : strlen(dir);
        if (len + name_len + 2 <= sizeof(path)) {
            memcpy(path, dir, len);
            if (len > 0)
                path[len++] = '/';
            memcpy(path + len, name, name_len + 1);
            (void)execve(path, plan->opts->argv, plan->envp);
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                return errno;
            if (errno == EACCES)
                errnum = EACCES;
        }
        if (!end)
            return errnum;
        dir = end;
    }
}

static _Noreturn void child(struct plan *plan)
{
    enum step step = prepare(plan);
    int errnum = errno;
    if (step == STEP_EXEC && plan->search) {
        errnum = exec_search(plan);
    } else if (step == STEP_EXEC) {
        (void)execve(plan->opts->path, plan->opts->argv, plan->envp);
        errnum = errno;
    }
    plan->errnum = errnum ? errnum : EIO;
    plan->step = step;
    _exit(127);
}

/* vfork: its cost does not grow with the parent, and no copy of the parent ever runs. */
static __attribute__((noinline)) pid_t start(struct plan *plan)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
    if (pid == 0)
        child(plan); /* NOLINT(clang-analyzer-unix.Vfork): see the rule above */
    return pid;
}

static const char *find_path(char *const *envp)
{
    for (size_t i = 0; envp[i]; i++) {
        if (strncmp(envp[i], "PATH=", 5) == 0)
            return envp[i] + 5;
    }
    return DEFAULT_PATH;
}

static enum rc make_plan(const struct spawn_opts *opts, struct plan *plan, struct err *err)
{
    *plan = (struct plan){.opts = opts, .envp = opts->envp ? opts->envp : environ};
    plan->parent = getpid();
    plan->highest = 2;
    if (opts->fds_len > SPAWN_FDS_MAX)
        return err_set(err, RC_BUG, "spawn: %zu descriptors are too many", opts->fds_len);
    for (size_t i = 0; i < opts->fds_len; i++) {
        plan->fds[i] = opts->fds[i];
        if (opts->fds[i].to > plan->highest)
            plan->highest = opts->fds[i].to;
    }
    if (!strchr(opts->path, '/'))
        plan->search = find_path(plan->envp);
    return RC_OK;
}

static enum rc explain(const struct plan *plan, struct err *err)
{
    int errnum = plan->errnum;
    const struct spawn_opts *opts = plan->opts;
    const enum step step = plan->step;
    const bool is_wish = step == STEP_NICE || step == STEP_USER || step == STEP_LIMITS;
    if (step == STEP_CWD) {
        (void)err_sys(err, errnum, "cannot start %s: cannot enter %s", opts->path, opts->cwd);
        return opts->user ? RC_INVALID : RC_SYS;
    }
    if (is_wish) {
        (void)err_sys(err, errnum, "cannot start %s: cannot have %s", opts->path, step_texts[step]);
        return RC_INVALID;
    }
    if (step != STEP_EXEC)
        return err_sys(err, errnum, "cannot start %s: %s", opts->path, step_texts[step]);
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    if ((errnum == ENOENT || errnum == ENOEXEC) && !opts->cwd && strchr(opts->path, '/') &&
        script_add_fault(opts->path, &fault))
        (void)err_set(err, RC_SYS, "cannot start %s: %s", opts->path, buf_str(&fault));
    else
        (void)err_sys(err, errnum, "cannot start %s", opts->path);
    if (errnum == ENOENT || errnum == ENOTDIR)
        return RC_NOTFOUND;
    return errnum == EACCES || errnum == ENOEXEC ? RC_INVALID : RC_SYS;
}

void spawn_look_at_signals(sigset_t *ret)
{
    struct sigaction action;
    (void)sigemptyset(ret);
    for (int signum = 1; signum < NSIG; signum++)
        if (sigaction(signum, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            (void)sigaddset(ret, signum);
}

enum rc spawn(const struct spawn_opts *opts, pid_t *ret_pid, int *ret_errno, struct err *err)
{
    struct plan plan;
    enum rc rc = make_plan(opts, &plan, err);
    if (rc != RC_OK)
        return rc;
    /* No handler of ours may run in the child while it shares our memory. */
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = start(&plan);
    int errnum = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (ret_errno)
        *ret_errno = pid < 0 ? errnum : plan.errnum;
    if (pid < 0)
        return err_sys(err, errnum, "cannot start %s: fork", opts->path);
    if (plan.errnum != 0) {
        proctree_discard(pid);
        if (opts->pid_word)
            atomic_store(opts->pid_word, 0);
        return explain(&plan, err);
    }
    *ret_pid = pid;
    return RC_OK;
}
