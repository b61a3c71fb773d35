/* live_view: reads what running handlers say: the pool's ring of each slot (common/ipc/live.h), by
 * the name that a worker's descriptor has in /proc. Used by cmd_logs.c. Prints nothing, writes
 * nothing that is shared. */
#ifndef STINT_CLI_LIVE_VIEW_H
#define STINT_CLI_LIVE_VIEW_H

#include <stdbool.h>

#include "cli/context.h"
#include "common/ipc/live.h"

/* Some lines that a handler said at once. Texts are the view's until its next call. */
struct live_lines {
    int64_t when_wall_ms, attempt;
    const char *claim, *name, *job, *stage, *key;
    char *text; /* lines divided by \n, without the last one; may hold anything but NUL */
};
typedef void (*live_fn)(void *ctx, const struct live_lines *lines);

struct live_view {
    struct live_mem *live;
    uint64_t at[LIVE_SLOTS_MAX];
    uint32_t seen; /* the word, before the last reading */
};

/* RC_NOTFOUND: no worker is there now; RC_SYS: it cannot be opened by this user. */
MUST_CHECK enum rc live_view_open(const struct cli *cli, struct live_view *ret, struct err *err);
void live_view_close(struct live_view *view);
/* Calls fn for what was said since the last call, slot by slot; returns the bytes that were
 * overwritten before. */
uint64_t live_view_read(struct live_view *view, live_fn fn, void *ctx);
/* Sleeps until something is said after the last reading, or the deadline. */
void live_view_wait(const struct live_view *view, int64_t deadline_mono_ns);

#endif
