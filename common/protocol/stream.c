#include "common/protocol/stream.h"

#include <stdbool.h>
#include <string.h>

#include "common/protocol/message.h"

#define KEEP_BYTES ((size_t)64 * 1024) /* more room than this is given back when it is empty */

void stream_fini(struct stream *s)
{
    if (!s)
        return;
    buf_fini(&s->data);
    *s = (struct stream)STREAM_INIT;
}

void stream_reset(struct stream *s)
{
    buf_reset(&s->data);
    s->start = s->seen = 0;
    s->number = 0;
}

struct buf *stream_room(struct stream *s)
{
    if (s->start > 0) {
        buf_drop(&s->data, s->start);
        s->start = 0;
    }
    if (s->data.len == 0 && s->data.cap > KEEP_BYTES)
        buf_fini(&s->data);
    return &s->data;
}

size_t stream_wants(const struct stream *s)
{
    return s->start + MESSAGE_MAX_BYTES + 2;
}

void stream_end(struct stream *s)
{
    size_t len = s->data.len - s->start;
    if (len > 0 && s->data.data[s->data.len - 1] != '\n')
        buf_addc(&s->data, '\n');
}

static bool is_blank(const char *line, size_t len)
{
    return strspn(line, " \t\r") >= len;
}

/* The newline of the line that begins at start, or NULL. */
static char *find_end(struct stream *s)
{
    char *line = s->data.data + s->start;
    char *end = memchr(line + s->seen, '\n', s->data.len - s->start - s->seen);
    s->seen = end ? 0 : s->data.len - s->start;
    return end;
}

enum rc stream_next(struct stream *s, const char **ret, size_t *ret_len, struct err *err)
{
    while (s->data.len > s->start) {
        char *line = s->data.data + s->start, *end = find_end(s);
        size_t len = end ? (size_t)(end - line) : s->data.len - s->start;
        if (len > MESSAGE_MAX_BYTES) {
            *ret = line;
            *ret_len = len;
            return err_set(err, RC_PROTO, "a line longer than %zu bytes", MESSAGE_MAX_BYTES);
        }
        if (!end)
            return RC_AGAIN;
        s->start += len + 1;
        s->number++;
        *end = '\0';
        if (memchr(line, '\0', len)) {
            *ret = line;
            *ret_len = len;
            return err_set(err, RC_PROTO, "a line with a NUL byte in it");
        }
        if (is_blank(line, len))
            continue;
        if (line[len - 1] == '\r')
            line[--len] = '\0';
        *ret = line;
        *ret_len = len;
        return RC_ROW;
    }
    return RC_AGAIN;
}
