/* reload: makes another configuration the database's, in one transaction that may be repeated: rows
 * of jobs and stages, discoveries, the event, and, under the write lock, the word that stops
 * workers of an older JobSpec. Used by the keeper only. */
#ifndef STINT_STORE_RELOAD_H
#define STINT_STORE_RELOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store/catalog.h"

struct name_list {
    char **list;
    size_t len;
};

struct reload {
    const struct config *config;
    int64_t pool_row;
    uint64_t generation;
    bool has_spec; /* a JobSpec differs: stages that their handlers paused start afresh */
    struct name_list discover;   /* jobs that are new, or are found in another way */
    const char *event;           /* JSON object: what changed */
    _Atomic uint64_t *spec_word; /* gets this value before the commit; its old one if that fails */
    uint64_t spec_generation;
};

/* A generation that the pool's row has already changes nothing, and is RC_OK. */
MUST_CHECK enum rc store_reload(
    struct store *store, const struct reload *r, struct catalog **ret, struct err *err);
/* The generation that the database goes by: 1 at the start of a pool. */
MUST_CHECK enum rc store_reload_generation(
    struct store *store, int64_t pool_row, uint64_t *ret, struct err *err);

#endif
