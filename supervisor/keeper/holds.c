#include "supervisor/keeper/holds.h"

#include "common/base/clock.h"
#include "common/store/hold.h"

static void hold(void *ctx, const char *resource, int64_t until_wall_ms)
{
    struct keeper *k = ctx;
    struct bucket_ref ref;
    int64_t left_ms = until_wall_ms - clock_wall_ms();
    if (left_ms > 0 && bucket_find(k->mem->buckets, resource, &ref))
        bucket_hold(ref.bucket, clock_mono_ns() + left_ms * NS_PER_MS);
}

enum rc holds_restore(struct keeper *k, struct err *err)
{
    return store_holds(k->store, hold, k, err);
}
