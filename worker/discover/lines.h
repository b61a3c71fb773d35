/* lines: cuts a stream of bytes into lines, with their numbers. The caller puts bytes into `in`;
 * what is kept is at most one unfinished line. In stint-discover only. */
#ifndef STINT_DISCOVER_LINES_H
#define STINT_DISCOVER_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define LINE_MAX_BYTES (1 << 20)
#define LINES_IN_MAX (2 << 20) /* how much the caller may put into `in` */

struct lines {
    struct buf in;
    size_t taken; /* bytes of `in` that are done with */
    int64_t number;
};

void lines_fini(struct lines *l);
/* RC_ROW: *ret is the next line, without "\n" or "\r\n", valid until more is put into `in`.
 * RC_DONE: there is no whole line; put more in. With is_end what is left is the last line.
 * RC_LIMIT: a line of more than LINE_MAX_BYTES. */
MUST_CHECK enum rc lines_take(
    struct lines *l, bool is_end, char **ret, size_t *ret_len, struct err *err);

#endif
