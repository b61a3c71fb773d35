/* item_notes: what handlers have said of an item, for people: progress and checkpoint of its stage
 * runs, how often they snoozed, what they have spent. Used by item_view_text.c. */
#ifndef STINT_CLI_ITEM_NOTES_H
#define STINT_CLI_ITEM_NOTES_H

#include "cli/item_view.h"

/* A line each; nothing where nothing was said. Not yet safe for a terminal. */
void item_notes_add_run(struct buf *out, const struct run_view *run);
void item_notes_add_costs(struct buf *out, const struct item_events *events);

#endif
