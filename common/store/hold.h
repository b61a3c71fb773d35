/* hold: resources that a handler has found to be limited (its message `limit`): rows that outlive
 * the pool, so that its successor holds them, too. Written by workers, read by the keeper at the
 * start of a pool. The buckets themselves are in the pool's memory (common/ipc/bucket.h). */
#ifndef STINT_STORE_HOLD_H
#define STINT_STORE_HOLD_H

#include "common/store/exchange.h"

struct hold {
    const char *resource;
    const char *key; /* one value of its `per`; "": the whole */
    int64_t until_wall_ms;
    const struct run *run; /* whose handler says so */
    const struct catalog_stage *stage;
};

/* Held until then, if it is not held for longer already; event resource.held. May be repeated. */
MUST_CHECK enum rc store_hold(struct store *store, const struct hold *hold, struct err *err);

/* Calls fn for every resource that is held now; forgets the holds whose time has passed. */
typedef void (*hold_fn)(void *ctx, const char *resource, int64_t until_wall_ms);
MUST_CHECK enum rc store_holds(struct store *store, hold_fn fn, void *ctx, struct err *err);

#endif
