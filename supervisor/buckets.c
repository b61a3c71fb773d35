#include "supervisor/buckets.h"

#include <assert.h>
#include <stdio.h>

static_assert(BUCKETS_MAX >= RESOURCES_MAX, "every resource has a place");

static void close_unknown(struct pool_mem *mem, const struct config *config)
{
    for (size_t i = 0; i < BUCKETS_MAX; i++) {
        char name[BUCKET_NAME_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s", BUCKET_NAME_MAX, mem->buckets[i].name);
        if (atomic_load(&mem->buckets[i].id) != 0 && config_resource(config, name) == NULL)
            bucket_close(&mem->buckets[i]);
    }
}

static void open_new(struct pool_mem *mem, const char *name, const struct bucket_rate *rate)
{
    for (size_t i = 0; i < BUCKETS_MAX; i++) {
        if (atomic_load(&mem->buckets[i].id) != 0)
            continue;
        bucket_open(&mem->buckets[i], atomic_fetch_add(&mem->bucket_ids, 1) + 1, name, rate);
        return;
    }
}

void buckets_apply(struct pool_mem *mem, const struct config *config)
{
    close_unknown(mem, config);
    for (size_t i = 0; i < config->resources_len; i++) {
        const struct resource_spec *spec = &config->resources[i];
        struct bucket_rate rate = bucket_rate_of(spec->rate_count, spec->rate_per_ms, spec->burst);
        struct bucket_ref ref;
        if (bucket_find(mem->buckets, spec->name, &ref))
            bucket_tune(ref.bucket, &rate);
        else
            open_new(mem, spec->name, &rate);
    }
}

void buckets_forget_sleeper(struct pool_mem *mem, struct slot *slot)
{
    uint64_t mask = atomic_exchange(&slot->sleeps_at, 0);
    for (size_t place = 0; mask != 0; place++, mask >>= 1) {
        if ((mask & 1) != 0)
            bucket_ring(&mem->buckets[place]);
    }
}
