/* levels: the tokens that were in the buckets when a pool stopped in good order. Saved and taken by
 * the keeper only: at the end of a pool, at the start of the next one. Taking forgets, so that no
 * token is had twice, whatever dies afterwards. */
#ifndef STINT_STORE_LEVELS_H
#define STINT_STORE_LEVELS_H

#include "common/config/config.h"
#include "common/store/store.h"

struct resource_level {
    char name[65];
    int64_t tokens_millionths;
    int64_t saved_wall_ms;
};

struct resource_levels {
    size_t len;
    struct resource_level rows[RESOURCES_MAX];
};

/* Replaces what is there. */
MUST_CHECK enum rc store_levels_save(
    struct store *store, const struct resource_levels *levels, struct err *err);
/* What is there, and it is not there any more: on disk whatever the durability. */
MUST_CHECK enum rc store_levels_take(
    struct store *store, struct resource_levels *ret, struct err *err);

#endif
