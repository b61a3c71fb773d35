/* notes: what of a running attempt is written before it ends: costs, and, while the claim is still
 * its own, progress, checkpoint and the items that it spawned before. Used by the worker. */
#ifndef STINT_STORE_NOTES_H
#define STINT_STORE_NOTES_H

#include "common/store/exchange.h"

/* Of one attempt. Texts are borrowed. */
struct note {
    const struct run *run;
    const struct catalog_stage *stage;
    const char *progress, *checkpoint; /* JSON text; NULL: nothing new */
    const struct spawn_item *items;    /* all that the checkpoint covers are written by now */
    size_t items_len;
    const struct cost *costs;
    size_t costs_len;
    bool is_lost; /* out: the claim is gone; only the costs were written */
};

struct notes_answer {
    int64_t claimable; /* stage runs made claimable: wake that many */
    size_t failed;     /* on an error: the note that it is about; else len */
};

/* One transaction, which may be repeated. RC_INVALID, RC_LIMIT: an item of note `failed` will never
 * be taken; nothing was written. */
MUST_CHECK enum rc store_notes(struct store *store, const struct catalog *catalog,
    struct note *notes, size_t len, struct notes_answer *ret, struct err *err);

#endif
