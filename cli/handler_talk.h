/* handler_talk: a handler's process, and talk with it over the descriptors that a worker would give
 * it: for handler-check only, which decides what is said and what is right. Nothing of it outlives
 * handler_end, double forks neither.
 */
#ifndef STINT_CLI_HANDLER_TALK_H
#define STINT_CLI_HANDLER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/protocol/stream.h"

#define HANDLER_STDOUT_MAX ((size_t)1024 * 1024)
#define HANDLER_STDERR_MAX ((size_t)4096)

struct handler_talk {
    bool is_resident;
    pid_t pid;
    int pidfd;
    int in_fd;                 /* standard input of a resident */
    int said_fd;               /* descriptor 3 of exec, standard output of a resident */
    int out_fd, err_fd;        /* standard output of exec; standard error */
    struct buf to_write;       /* what in_fd has not taken yet */
    bool is_in_over;           /* in_fd is closed when that is written */
    struct stream said;        /* messages */
    struct buf output, errors; /* of exec; the end of standard error */
    bool is_output_cut;
    bool is_ended;
    int status;  /* as wait(2) gives it */
    size_t left; /* processes that it had left behind when it ended */
};

enum handler_heard {
    HEARD_LINE,
    HEARD_BAD,     /* no line: too long, or a NUL; nothing after it can be trusted */
    HEARD_END,     /* nothing more will be said: it has ended, or closed the descriptor */
    HEARD_NOTHING, /* until the deadline */
};

/* key NULL: it is asked about several. request: on standard input of exec; NULL for a resident.
 * RC_NOTFOUND, RC_INVALID: as spawn. */
MUST_CHECK enum rc handler_start(struct handler_talk *t, char *const *argv, const char *key,
    const struct buf *request, int *ret_errno, struct err *err);
/* Says a line to a resident; is_last: then the end of file. Written while we listen. */
void handler_say(struct handler_talk *t, const struct buf *text, bool is_last);
/* *ret_line lives until the next call. */
enum handler_heard handler_hear(struct handler_talk *t, int64_t deadline_mono_ns,
    const char **ret_line, size_t *ret_len, struct err *err);
/* Until it has ended; false: it runs still. What it says is left to be heard. */
bool handler_await_end(struct handler_talk *t, int64_t deadline_mono_ns);
/* Ends it and all that it started; may be called twice. */
void handler_end(struct handler_talk *t);

#endif
