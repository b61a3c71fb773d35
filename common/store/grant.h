/* grant: the second half of an exchange: which runs a wish gets, inside the caller's transaction,
 * and what their handlers may know of them, after its commit. Called by exchange.c only. */
#ifndef STINT_STORE_GRANT_H
#define STINT_STORE_GRANT_H

#include "common/store/exchange.h"
#include "common/store/internal.h"

/* What an exchange has claimed: item_stages.id by number of the wish; 0: none. */
struct grants {
    int64_t *ids;
    size_t len;
    size_t new_len; /* claimed by this very exchange */
};

/* Room for wish->claims_len ids is the caller's. */
MUST_CHECK enum rc grant_wish(
    struct store *store, const struct wish *wish, int64_t now, struct grants *g, struct err *err);
/* ret->runs: those that still bear their claims. */
MUST_CHECK enum rc grant_read(struct store *store, const struct wish *wish, const struct grants *g,
    struct exchange_answer *ret, struct err *err);
/* A look without the lock: idle workers that are woken for nothing must not queue for it. */
MUST_CHECK enum rc grant_is_likely(
    struct store *store, const struct wish *wish, bool *ret, struct err *err);

#endif
