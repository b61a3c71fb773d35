/* log_entries: the newest failed attempts that a filter means, with what their handlers said: out
 * of their events. Used by cmd_logs.c. Prints nothing. */
#ifndef STINT_CLI_LOG_ENTRIES_H
#define STINT_CLI_LOG_ENTRIES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/filter/filter.h"
#include "common/store/store.h"

struct log_entry {
    int64_t id, ts_wall_ms;
    char *job, *stage, *key; /* owned */
    json_t *data;            /* of the event; owned */
};
struct log_entries {
    struct log_entry *list; /* the oldest first */
    size_t len, cap;
};

/* At most limit, the newest. */
MUST_CHECK enum rc log_entries_take(struct log_entries *ret, struct store *store,
    const struct filter *filter, int64_t limit, struct err *err);
void log_entries_fini(struct log_entries *entries);
bool log_entries_have_claim(const struct log_entries *entries, const char *claim);

#endif
