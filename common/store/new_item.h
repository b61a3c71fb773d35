/* new_item: creates an item that its job does not have yet, with all its stage runs, inside the
 * caller's transaction. Called by merge.c. What becomes of a known item is merge.c's business. */
#ifndef STINT_STORE_NEW_ITEM_H
#define STINT_STORE_NEW_ITEM_H

#include "common/store/merge.h"

/* *ret_is_new: false when the job has an item of this key; then nothing was written. item->data is
 * normal JSON, or NULL. */
MUST_CHECK enum rc new_item(
    const struct merge *m, const struct add_item *item, bool *ret_is_new, struct err *err);

#endif
