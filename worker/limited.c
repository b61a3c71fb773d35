#include "worker/limited.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/hold.h"
#include "worker/worker.h"

#define WORTH_NS (200 * NS_PER_MS) /* a hold that is longer by less is the same */

/* False: it was held for as long already. */
static bool hold_bucket(struct worker *w, const char *resource, int64_t after_ms)
{
    struct bucket_ref ref;
    int64_t until = clock_mono_ns() + after_ms * NS_PER_MS;
    if (!bucket_find(w->life.mem->buckets, resource, &ref))
        return true; /* a reload may be opening it: the row says so to the next pool */
    if (atomic_load(&ref.bucket->held_until_mono_ns) + WORTH_NS >= until)
        return false;
    bucket_hold(ref.bucket, until);
    return true;
}

static void hold(
    struct worker *w, const struct attempt *a, const struct message *m, const char *resource)
{
    struct err err = {""};
    if (w->trial != NULL) /* it is told, and holds nobody */
        return;
    const struct hold row = {
        .resource = resource,
        .key = buf_str(&m->key),
        .until_wall_ms = clock_wall_ms() + m->after_ms,
        .run = &a->run,
        .stage = a->stage,
    };
    if (hold_bucket(w, resource, m->after_ms) && store_hold(w->store, &row, &err) != RC_OK)
        log_msg(LOG_LEVEL_WARN, "worker.database",
            "%s; resource %s is held, but a new pool would not know", err.text, resource);
}

static void refuse(struct attempt *a, const char *resource)
{
    char why[200];
    if (!attempt_is_open(a)) { /* nobody of its call is left whose fault it could be */
        log_msg(LOG_LEVEL_WARN, "handler.stray",
            "a limit of resource \"%s\", which is not configured, after the outcome: dropped",
            resource);
        return;
    }
    (void)snprintf(why, sizeof(why),
        "limit of resource \"%s\": there is no section [resource %s] in the configuration",
        resource, resource);
    heard_refuse(&a->heard, why);
}

void limited_hold(struct worker *w, struct attempt *a, const struct message *m)
{
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    const char *resource = buf_str(&m->text);
    if (resource[0] == '\0') {
        for (size_t i = 0; i < tuning->resources_len; i++)
            hold(w, a, m, w->config->resources[tuning->resources[i]].name);
    } else if (config_resource(w->config, resource) != NULL) {
        hold(w, a, m, resource);
    } else {
        refuse(a, resource);
    }
}
