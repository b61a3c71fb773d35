/* spawn: the one fork in the project. Starts a program with exactly the descriptors, environment
 * and limits that are named; everything else is closed or reset. Failure of exec (or of a step
 * before it) comes back as an error of spawn itself: a child that runs has really been exec'ed.
 * Used by supervisor, worker, stint. The child can die with its parent (PDEATHSIG, getppid
 * checked). */
#ifndef STINT_BASE_SPAWN_H
#define STINT_BASE_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/base/err.h"

struct spawn_fd {
    int from; /* in the parent */
    int to;   /* in the child; 0, 1, 2 that are not named become /dev/null, except 2: inherited */
};

struct spawn_limit {
    int resource; /* RLIMIT_… */
    struct rlimit value;
};

/* Whose rights the child gets, for good. Only for root. */
struct spawn_user {
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t groups_len;
};

struct spawn_opts {
    const char *path;  /* absolute, or looked up in PATH of envp */
    char *const *argv; /* NULL-terminated */
    char *const *envp; /* NULL: the parent's */
    const char *cwd;   /* NULL: the parent's */
    const struct spawn_fd *fds;
    size_t fds_len;
    bool is_new_session; /* setsid: own session and process group; else own process group */
    bool is_no_new_privs;
    int parent_death_signal; /* 0: none */
    int umask;               /* −1: the parent's */
    /* As spawn_look_at_signals found them, for who starts many; NULL: all are reset. */
    const sigset_t *changed_signals;
    int cgroup_fd; /* cgroup.procs of the group to be born in; 0 or less: the parent's */
    const struct spawn_limit *limits;
    size_t limits_len;
    int nice;                      /* added to the parent's; at least 0 */
    const struct spawn_user *user; /* NULL: the parent's */
    /* Written with the child's pid by the child before exec goes on; may be NULL. */
    _Atomic uint32_t *pid_word;
};

/* What this process ignores or catches now. */
void spawn_look_at_signals(sigset_t *ret);

/* *ret_errno (may be NULL) gets the errno of the failed step, 0 on success. RC_NOTFOUND: ENOENT,
 * ENOTDIR of exec; RC_INVALID: EACCES, ENOEXEC, or user, nice, limits that cannot be had; else
 * RC_SYS. Caller reaps the child. */
MUST_CHECK enum rc spawn(
    const struct spawn_opts *opts, pid_t *ret_pid, int *ret_errno, struct err *err);

#endif
