/* log_lines: what handlers said as lines for people, each with whose it is, or as NDJSON. Used by
 * cmd_logs.c. Pure. */
#ifndef STINT_CLI_LOG_LINES_H
#define STINT_CLI_LOG_LINES_H

#include <stdbool.h>

#include "cli/live_view.h"
#include "cli/log_entries.h"
#include "common/base/buf.h"

struct log_lines {
    bool is_json, has_color;
    struct buf out;
    int64_t count;
};

void log_lines_init(struct log_lines *l, bool is_json, bool has_color);
void log_lines_fini(struct log_lines *l);
void log_lines_add(struct log_lines *l, const struct live_lines *lines);
/* What the attempt said, and how it ended. */
void log_lines_add_entry(struct log_lines *l, const struct log_entry *entry);

#endif
