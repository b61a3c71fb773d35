/* stream: cuts what a handler says into lines, in bounded memory. Used wherever handlers are
 * listened to. Takes bytes as they come; reads no descriptor, knows no message.
 */
#ifndef STINT_PROTOCOL_STREAM_H
#define STINT_PROTOCOL_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct stream {
    struct buf data;
    size_t start;   /* of what is not yet given out */
    size_t seen;    /* so far there is no newline behind start */
    int64_t number; /* of the line given out last, from 1 */
};

#define STREAM_INIT                                                                                \
    {                                                                                              \
        BUF_INIT, 0, 0, 0                                                                          \
    }

void stream_fini(struct stream *s);
/* Forgets all: another process speaks now. */
void stream_reset(struct stream *s);
/* Where the next bytes belong: read into it (sys_read_avail), then ask for lines until RC_AGAIN. */
struct buf *stream_room(struct stream *s);
/* So many bytes may be read at once, that a line of MESSAGE_MAX_BYTES and its newline fit. */
size_t stream_wants(const struct stream *s);

/* RC_ROW: *ret is the next line (NUL-terminated, without its newline and a CR before it; valid
 * until the next call on the stream); blank lines are passed over. RC_AGAIN: no whole line is
 * there. RC_PROTO: a line longer than MESSAGE_MAX_BYTES, or with a NUL in it: what follows cannot
 * be trusted; *ret is the line's beginning. */
MUST_CHECK enum rc stream_next(
    struct stream *s, const char **ret, size_t *ret_len, struct err *err);
/* After the end of file: the last line, if it has no newline, counts as one. */
void stream_end(struct stream *s);

#endif
