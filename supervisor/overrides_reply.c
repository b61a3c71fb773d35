#include "supervisor/overrides_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/config/options.h"
#include "common/config/source.h"

#define BY_MAX 64

static void add_one(const char *key, const char *by, size_t n, struct reply *reply)
{
    reply_add(
        reply, "%s{\"key\":\"%s\",\"by\":\"%s\"}", n == 0 ? ",\"overrides\":[" : ",", key, by);
}

static size_t add_workers(const struct pool *pool, struct reply *reply)
{
    char by[BY_MAX];

    if (pool->asked_min == 0)
        return 0;
    if (pool->asked_min == pool->asked_max)
        (void)snprintf(by, sizeof by, "--workers %" PRId64, pool->asked_min);
    else
        (void)snprintf(
            by, sizeof by, "--workers %" PRId64 "..%" PRId64, pool->asked_min, pool->asked_max);
    add_one("workers", by, 0, reply);
    return 1;
}

void overrides_add(const struct pool *pool, struct reply *reply)
{
    const struct origins *origins = &pool->config->pool.origins;
    size_t n = add_workers(pool, reply);

    for (size_t i = 0; i < origins->len; i++) {
        const struct origin *o = &origins->list[i];
        char by[BY_MAX];

        if (strcmp(o->file, CONFIG_ENVIRONMENT) != 0 ||
            (pool->asked_min > 0 && strcmp(o->key, "workers") == 0))
            continue;
        option_variable(o->key, by, sizeof by);
        add_one(o->key, by, n++, reply);
    }
    if (n > 0)
        reply_add(reply, "]");
}
