/* outcome: the first half of an exchange: what an ended attempt makes of its row, its result, its
 * followers and its stage, inside the caller's transaction. Called by exchange.c only. */
#ifndef STINT_STORE_OUTCOME_H
#define STINT_STORE_OUTCOME_H

#include "common/store/exchange.h"
#include "common/store/internal.h"

struct outcome_effect {
    bool is_lost;      /* the claim was gone */
    int64_t claimable; /* stage runs made claimable */
};

struct outcome_given {
    const struct outcome *outcome;
    const char *result;            /* normal JSON (END_DONE) */
    const struct catalog *catalog; /* the jobs that items may be spawned into */
};
MUST_CHECK enum rc outcome_apply(struct store *store, const struct outcome_given *given,
    int64_t now_wall_ms, struct outcome_effect *ret, struct err *err);
/* FNV-1a, 64 bits, as 16 hex digits. */
void outcome_hash(const char *text, char out[17]);

#endif
