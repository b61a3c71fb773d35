#include "supervisor/keeper/levels.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/store/levels.h"

#define MILLION 1000000

/* Rounded so that no fraction of a token is won. */
enum rc levels_save(struct keeper *k, struct err *err)
{
    struct resource_levels levels = {0};
    for (size_t i = 0; i < k->config->resources_len; i++) {
        struct resource_level *row = &levels.rows[levels.len];
        const char *name = k->config->resources[i].name;
        struct bucket_ref ref;
        if (!bucket_find(k->mem->buckets, name, &ref))
            continue;
        (void)snprintf(row->name, sizeof row->name, "%s", name);
        row->tokens_millionths = (int64_t)(bucket_level(&ref) * MILLION);
        row->saved_wall_ms = clock_wall_ms() + 1;
        levels.len++;
    }
    return levels.len > 0 ? store_levels_save(k->store, &levels, err) : RC_OK;
}

/* The wall clock may have been set in between: what it says is worth no more than the burst. */
static void restore(const struct bucket_ref *ref, const struct resource_level *row)
{
    double interval_ms = (double)atomic_load(&ref->bucket->interval_ns) / NS_PER_MS;
    int64_t passed_ms = clock_wall_ms() - row->saved_wall_ms;
    double granted = passed_ms > 0 ? (double)passed_ms / interval_ms : 0;
    bucket_set_level(ref->bucket, (double)row->tokens_millionths / MILLION + granted);
}

enum rc levels_restore(struct keeper *k, struct err *err)
{
    struct resource_levels levels = {0};
    enum rc rc = store_levels_take(k->store, &levels, err);
    for (size_t i = 0; rc == RC_OK && i < levels.len; i++) {
        struct bucket_ref ref;
        if (bucket_find(k->mem->buckets, levels.rows[i].name, &ref))
            restore(&ref, &levels.rows[i]);
    }
    return rc;
}
