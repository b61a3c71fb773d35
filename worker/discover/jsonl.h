/* jsonl: one line of JSON as an item: a string is a key; of an object one member is the key. The
 * data is the member `data` where nothing but key, data and priority is there (as `stint add
 * --from` takes it), else all members but key and priority. The one user of jansson in
 * stint-discover. Pure. */
#ifndef STINT_DISCOVER_JSONL_H
#define STINT_DISCOVER_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct jsonl_item {
    char *key;  /* owned */
    char *data; /* owned; NULL: nothing but the key */
    int64_t priority;
    bool has_priority;
};

/* RC_INVALID: no item. End *ret by jsonl_fini. */
MUST_CHECK enum rc jsonl_parse(
    const char *line, size_t len, const char *key_name, struct jsonl_item *ret, struct err *err);
void jsonl_fini(struct jsonl_item *item);
/* Nothing but white space? */
bool jsonl_is_blank(const char *line, size_t len);

#endif
