#include "supervisor/resources_reply.h"

#include <inttypes.h>

#include "common/base/clock.h"

#define PART_MAX 512 /* bytes of one part of a line: its head, or one stage */

/* The cursor: resource, then the part of its line (0: its head; n: stage n − 1 of all; the last:
 * its end), then whether a stage was written. */
struct place {
    size_t resource, part;
    bool has_stage;
};

static struct place place_of(size_t cursor)
{
    return (struct place){cursor >> 40, cursor >> 1 & 0xffffffff, (cursor & 1) != 0};
}

static size_t cursor_of(const struct place *p)
{
    return p->resource << 40 | p->part << 1 | (p->has_stage ? 1 : 0);
}

static const char *unit_of(int64_t per_ms)
{
    return per_ms == 1000 ? "s" : per_ms == 60000 ? "m" : per_ms == 3600000 ? "h" : "d";
}

static void add_times(const struct bucket_ref *ref, struct reply *reply)
{
    int64_t now = clock_mono_ns(), due = bucket_due_mono_ns(ref, 1);
    int64_t held = atomic_load(&ref->bucket->held_until_mono_ns);
    char text[32];

    if (due == INT64_MAX)
        reply_add(reply, ",\"next_token_ms\":null");
    else
        reply_add(reply, ",\"next_token_ms\":%" PRId64,
            due <= now ? 0 : (int64_t)((due - now) / NS_PER_MS + 1));
    if (held > now)
        reply_add(reply, ",\"held_until\":\"%s\"",
            clock_format_wall(clock_wall_ms_at(held), text, sizeof text));
    else
        reply_add(reply, ",\"held_until\":null");
}

static void add_head(const struct pool *pool, const struct resource_spec *spec, struct reply *reply)
{
    struct bucket_ref ref;
    int64_t thousandths = 0;
    int waiting = 0;

    reply_add(reply, "{\"name\":\"%s\",\"rate\":\"%" PRId64 "/%s\",\"burst\":%" PRId64, spec->name,
        spec->rate_count, unit_of(spec->rate_per_ms), spec->burst);
    if (bucket_find(pool->mem->buckets, spec->name, &ref)) {
        thousandths = (int64_t)(bucket_level(&ref) * 1000);
        waiting = pool_sleepers(pool->mem, (size_t)(ref.bucket - pool->mem->buckets), NULL);
        add_times(&ref, reply);
    }
    reply_add(reply, ",\"tokens\":%" PRId64 ".%03d,\"waiting\":%d,\"stages\":[", thousandths / 1000,
        (int)(thousandths % 1000), waiting);
}

/* Stage n of all jobs; NULL: there are no more. */
static const struct stage_spec *find_stage(
    const struct config *config, size_t n, const struct job_spec **ret_job)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        *ret_job = &config->jobs[i];
        if (n < config->jobs[i].stages_len)
            return &config->jobs[i].stages[n];
        n -= config->jobs[i].stages_len;
    }
    return NULL;
}

static bool uses(const struct stage_spec *stage, size_t resource)
{
    for (size_t i = 0; i < stage->tuning.resources_len; i++) {
        if (stage->tuning.resources[i] == resource)
            return true;
    }
    return false;
}

static void add_part(struct pool *pool, struct place *p, struct reply *reply)
{
    const struct job_spec *job;
    const struct stage_spec *stage;

    if (p->part == 0) {
        add_head(pool, &pool->config->resources[p->resource], reply);
        p->part++;
        return;
    }
    stage = find_stage(pool->config, p->part - 1, &job);
    if (stage == NULL) {
        reply_add(reply, "]}\n");
        *p = (struct place){.resource = p->resource + 1};
        return;
    }
    if (uses(stage, p->resource)) {
        reply_add(reply, "%s\"%s.%s\"", p->has_stage ? "," : "", job->name, stage->name);
        p->has_stage = true;
    }
    p->part++;
}

void resources_add_next(struct pool *pool, struct reply *reply)
{
    struct place p = place_of(reply->cursor);

    while (p.resource < pool->config->resources_len && sizeof reply->text - reply->len > PART_MAX)
        add_part(pool, &p, reply);
    reply->cursor = cursor_of(&p);
}
