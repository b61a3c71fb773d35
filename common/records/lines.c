#include "common/records/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"

/* One longest line, its newline, and the NUL that replaces the newline of a last line. */
#define ROOM_BYTES (LINE_MAX_BYTES + 2)

void lines_init(struct lines *l, int fd)
{
    *l = (struct lines){.fd = fd, .data = xmalloc(ROOM_BYTES)};
}

void lines_fini(struct lines *l)
{
    if (!l)
        return;
    free(l->data);
    l->data = NULL;
}

static bool has_nothing_now(const struct lines *l)
{
    struct pollfd more = {.fd = l->fd, .events = POLLIN};
    return l->never_waits && poll(&more, 1, 0) == 0;
}

static enum rc fill(struct lines *l, struct err *err)
{
    if (l->start > 0) {
        memmove(l->data, l->data + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (has_nothing_now(l))
        return RC_AGAIN;
    ssize_t n;
    do
        n = read(l->fd, l->data + l->end, ROOM_BYTES - 1 - l->end);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return RC_AGAIN;
    if (n < 0)
        return err_sys(err, errno, "cannot read");
    if (n == 0)
        l->is_eof = true;
    l->end += (size_t)n;
    l->read_bytes += n;
    return RC_OK;
}

static enum rc give(struct lines *l, size_t len, char **ret, size_t *ret_len)
{
    *ret = l->data + l->start;
    *ret_len = len;
    (*ret)[len] = '\0';
    l->start += len + 1;
    if (l->start > l->end)
        l->start = l->end;
    l->seen = 0;
    l->number++;
    return RC_ROW;
}

enum rc lines_next(struct lines *l, char **ret, size_t *ret_len, struct err *err)
{
    for (;;) {
        size_t have = l->end - l->start;
        char *from = l->data + l->start + l->seen;
        char *newline = have > l->seen ? memchr(from, '\n', have - l->seen) : NULL;
        if (newline)
            return give(l, (size_t)(newline - l->data) - l->start, ret, ret_len);
        if (have > LINE_MAX_BYTES) {
            l->number++;
            return err_set(err, RC_LIMIT, "longer than %zu bytes", LINE_MAX_BYTES);
        }
        if (l->is_eof)
            return have ? give(l, have, ret, ret_len) : RC_DONE;
        l->seen = have;
        enum rc rc = fill(l, err);
        if (rc)
            return rc;
    }
}

void lines_end(struct lines *l)
{
    l->is_eof = true;
}
