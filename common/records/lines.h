/* lines: cuts a stream into lines of at most LINE_MAX_BYTES (1 MiB), in constant memory, counting
 * them. Used by records.c. Knows nothing of formats; reads one descriptor, opens nothing. */
#ifndef STINT_RECORDS_LINES_H
#define STINT_RECORDS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define LINE_MAX_BYTES ((size_t)1024 * 1024)

struct lines {
    int fd; /* borrowed */
    char *data;
    size_t start, end;  /* unread bytes within data */
    size_t seen;        /* so many of them hold no newline */
    int64_t number;     /* of the line read last, from 1 */
    int64_t read_bytes; /* out of fd so far */
    bool is_eof;
    bool never_waits; /* asks before it reads: RC_AGAIN instead of waiting for a blocking fd */
};

void lines_init(struct lines *l, int fd);
void lines_fini(struct lines *l);

/* RC_ROW: *ret is the next line without its newline (valid until the next call; NUL-terminated; a
 * CR before the newline stays). A last line without a newline counts. RC_DONE; RC_AGAIN: a
 * non-blocking descriptor (or any, with never_waits) has no whole line now; RC_LIMIT: longer than
 * LINE_MAX_BYTES; RC_SYS. */
MUST_CHECK enum rc lines_next(struct lines *l, char **ret, size_t *ret_len, struct err *err);

/* Reads no more, as if the descriptor had ended: what is there is the last line. */
void lines_end(struct lines *l);

#endif
