/* launch: a handler's process with all that it is to have: the environment of its stage, its limits
 * and control group, its own session, death with this worker. Used by handler_exec.c and
 * resident.c, which make its pipes and listen to them. */
#ifndef STINT_WORKER_LAUNCH_H
#define STINT_WORKER_LAUNCH_H

#include <sys/types.h>

#include "common/base/spawn.h"
#include "worker/env.h"

struct worker;

struct launch {
    struct handler_words words;
    const char *path;
    char *const *argv;
    int umask;
    /* The pipes among them may be opened again by their /proc names, by a `user` too. */
    const struct spawn_fd *fds;
    size_t fds_len;
};

/* Errors and *ret_errno (may be NULL) as of spawn; the caller reaps the child. */
MUST_CHECK enum rc launch(
    struct worker *w, const struct launch *what, pid_t *ret_pid, int *ret_errno, struct err *err);

#endif
