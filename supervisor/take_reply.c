#include "supervisor/take_reply.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"

#define GONE_MS 1000 /* a bucket that a reload is just changing */

static const struct stage_spec *find_stage(const struct config *config, const char *name)
{
    const char *dot = strchr(name, '.');

    for (size_t i = 0; dot != NULL && i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];

        if (strlen(job->name) == (size_t)(dot - name) &&
            strncmp(job->name, name, (size_t)(dot - name)) == 0)
            return job_stage(job, dot + 1);
    }
    return NULL;
}

static int64_t wait_ms(const struct bucket_ref *ref, int64_t now)
{
    int64_t due = bucket_due_mono_ns(ref, 1);

    if (due == INT64_MAX)
        return GONE_MS;
    return due <= now ? 1 : (due - now) / NS_PER_MS + 1;
}

static bool take(const struct bucket_ref *ref, int64_t now, int64_t *ret_at)
{
    return bucket_is_open(ref, now, ret_at) && bucket_take(ref, *ret_at);
}

void take_answer(struct pool *pool, const char *name, struct reply *reply)
{
    const struct stage_spec *stage = find_stage(pool->config, name);
    struct bucket_ref refs[STAGE_RESOURCES_MAX] = {{NULL, 0}};
    int64_t ats[STAGE_RESOURCES_MAX], now = clock_mono_ns();
    size_t n = 0;

    if (stage == NULL) {
        reply_error(reply, "take names a stage: take JOB.STAGE");
        return;
    }
    for (; n < stage->tuning.resources_len; n++) {
        const char *resource = pool->config->resources[stage->tuning.resources[n]].name;

        if (bucket_find(pool->mem->buckets, resource, &refs[n]) && take(&refs[n], now, &ats[n]))
            continue;
        reply_add(reply, "ok\n{\"taken\":false,\"resource\":\"%s\",\"wait_ms\":%" PRId64 "}\n",
            resource, refs[n].bucket != NULL ? wait_ms(&refs[n], now) : GONE_MS);
        while (n-- > 0)
            bucket_give_back(&refs[n], ats[n]);
        return;
    }
    reply_add(reply, "ok\n{\"taken\":true,\"resource\":null,\"wait_ms\":0}\n");
}
