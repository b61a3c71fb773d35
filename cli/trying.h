/* trying: one run of a stage before somebody's eyes: stint-worker's own program, started with a
 * pool memory and a configuration box of its own, that nobody else has. Used by cmd_try.c. Opens no
 * database, takes no tokens. */
#ifndef STINT_CLI_TRYING_H
#define STINT_CLI_TRYING_H

#include <sys/types.h>

#include "cli/context.h"
#include "cli/interrupt.h"
#include "common/ipc/config_box.h"
#include "common/ipc/pool_mem.h"

struct trying {
    pid_t pid; /* 0: not started */
    int pidfd;
    int out_fd;      /* what happens, a JSON object a line */
    int lifeline_fd; /* closed: it kills its handler and leaves */
    int wake_fd;
    struct pool_mem *mem;
    struct config_box *box;
    struct buf text; /* of out_fd, from the next line on */
    size_t taken;    /* of it, by the line that was given last */
    int signum;      /* that came meanwhile; 0: none */
    int status;      /* of its end, as wait(2) gives it */
};
#define TRYING_INIT                                                                                \
    {                                                                                              \
        .pidfd = -1, .out_fd = -1, .lifeline_fd = -1, .wake_fd = -1                                \
    }

/* run: {"job","stage","key","data","attempt","checkpoint","inputs"}. */
MUST_CHECK enum rc trying_start(
    struct trying *t, const struct cli *cli, const struct buf *run, struct err *err);
/* RC_ROW: *ret_line is the next, until the next call; RC_DONE: it is over. A signal asks the
 * handler to end as a pool's stop does; a second one ends it at once. */
MUST_CHECK enum rc trying_next(struct trying *t, struct interrupt *i, const char **ret_line);
/* It and all of its handler are gone afterwards. */
void trying_end(struct trying *t);

#endif
