/* jsonl: one line of JSON as an item: an object with a key, perhaps data and a priority, or nothing
 * but a key. Used by records.c. Pure. The data is cut out of the text as it was written, so that no
 * number changes its form on the way. */
#ifndef STINT_RECORDS_JSONL_H
#define STINT_RECORDS_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct jsonl_item {
    struct buf key;
    struct buf data; /* JSON text; empty: none was given */
    int64_t priority;
    bool has_priority;
};

void jsonl_fini(struct jsonl_item *item);

/* line: NUL-terminated at len, without NUL before. *item is written to, whatever comes out; its
 * room is used again. The data is the member "data", which then stands beside the key and
 * "priority" alone; without it, all other members. null is no data.
 * RC_NOTFOUND: an object without a member key_name; RC_INVALID: no item for another reason. */
MUST_CHECK enum rc jsonl_parse(
    const char *line, size_t len, const char *key_name, struct jsonl_item *item, struct err *err);

#endif
