/* handler_exec: runs a program as a handler: request on stdin, stdout as result, exit status as
 * outcome, messages on descriptor 3 (DESIGN.md section 5). Used by cycle.c, and by
 * handler_builtin.c for discover. Returns with the outcomes concluded and no process left; never
 * touches the database. */
#ifndef STINT_WORKER_HANDLER_EXEC_H
#define STINT_WORKER_HANDLER_EXEC_H

#include "worker/attempt.h"
#include "worker/worker.h"

struct command {
    const char *path;
    char *const *argv;
    int umask;     /* −1: our own */
    int config_fd; /* given on as FD_DISCOVER_CONFIG; −1: no */
};

/* The call has one attempt; several in a stage with batch. */
void handler_exec_run(struct worker *w, struct call *call, const struct command *command);

#endif
