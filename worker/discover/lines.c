#include "worker/discover/lines.h"

#include <string.h>

void lines_fini(struct lines *l)
{
    buf_fini(&l->in);
}

static void forget_taken(struct lines *l)
{
    buf_drop(&l->in, l->taken);
    l->taken = 0;
}

enum rc lines_take(struct lines *l, bool is_end, char **ret, size_t *ret_len, struct err *err)
{
    size_t left = l->in.len - l->taken;
    char *start = left ? l->in.data + l->taken : NULL;
    char *end = left ? memchr(start, '\n', left) : NULL;
    size_t len = end ? (size_t)(end - start) : left;
    if (len > LINE_MAX_BYTES)
        return err_set(err, RC_LIMIT, "line %lld is longer than %d bytes; is this the right file?",
            (long long)l->number + 1, LINE_MAX_BYTES);
    if (!end && (!is_end || left == 0)) {
        forget_taken(l);
        return RC_DONE;
    }
    l->taken += len + (end ? 1 : 0);
    l->number++;
    if (len > 0 && start[len - 1] == '\r')
        len--;
    start[len] = '\0';
    *ret = start;
    *ret_len = len;
    return RC_ROW;
}
