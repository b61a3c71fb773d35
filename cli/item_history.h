/* item_history: what happened to an item, one line an attempt or act, oldest first: out of its
 * events, and out of the stage runs for what leaves no event (what is done, skipped, or runs now).
 * Used by item_view_text.c. Prints nothing. */
#ifndef STINT_CLI_ITEM_HISTORY_H
#define STINT_CLI_ITEM_HISTORY_H

#include "cli/item_view.h"
#include "cli/table.h"

struct history_line {
    int64_t when_wall_ms, order;
    const char *stage; /* borrowed from the view */
    char number[24], ran[32], worker[48];
    char *what; /* owned */
    enum tone tone;
};
struct history {
    struct history_line *list;
    size_t len;
};
#define HISTORY_INIT                                                                               \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

void history_take(const struct item_view *view, int64_t now_wall_ms, struct history *ret);
void history_fini(struct history *history);

/* Does the event have the certificate of a handler? Its one line of text. */
bool history_is_of_handler(const struct item_event *event);
void history_add_handler(struct buf *out, const struct item_event *event);

/* One line of text about the end of a worker: the certificate of worker.died. */
void history_add_death(struct buf *out, const char *certificate);

#endif
