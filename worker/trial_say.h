/* trial_say: what happens in a trial, told to stint as lines of JSON: the request, each line that
 * the handler said, its free text. Called by whoever talks with a handler (handler_exec.c, notes.c,
 * guard.c, resident_talk.c) where the worker has a trial, and by trial.c. Decides nothing. */
#ifndef STINT_WORKER_TRIAL_SAY_H
#define STINT_WORKER_TRIAL_SAY_H

#include "common/base/buf.h"
#include "common/protocol/message.h"

struct trial {
    int fd;        /* blocking: whoever reads slowly is waited for */
    int64_t depth; /* of the item */
};

/* A line of the handler, and what is wrong with it. */
struct trial_line {
    const char *line;
    size_t len;
    size_t column;     /* from 1; 0: the line as a whole */
    const char *fault; /* what breaks the protocol; NULL: nothing */
    const char *doubt; /* why it is passed over; NULL: it is not */
};

void trial_asks(const struct trial *t, const char *request, size_t len);
void trial_heard(const struct trial *t, const struct trial_line *said);
void trial_text(const struct trial *t, const char *name, const char *text, size_t len);
/* One line of JSON, written whole. */
void trial_write(const struct trial *t, struct buf *line);

#endif
