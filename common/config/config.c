#include "common/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/jobs.h"

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->jobs_len; i++)
        job_spec_fini(&config->jobs[i]);
    free(config->jobs);
    for (size_t i = 0; i < config->resources_len; i++) {
        free(config->resources[i].name);
        origins_fini(&config->resources[i].origins);
    }
    free(config->resources);
    for (size_t i = 0; i < config->files_len; i++)
        free(config->files[i]);
    free(config->files);
    origins_fini(&config->pool.origins);
    free(config->pool.database);
    free(config->pool.directory);
    free(config->pool.socket);
    free(config->pool.pid_file);
    free(config->pool.log_file);
    free(config->directory);
    free(config);
}

const struct job_spec *config_job(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        if (strcmp(config->jobs[i].name, name) == 0)
            return &config->jobs[i];
    }
    return NULL;
}

const struct resource_spec *config_resource(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->resources_len; i++) {
        if (strcmp(config->resources[i].name, name) == 0)
            return &config->resources[i];
    }
    return NULL;
}

const struct stage_spec *job_stage(const struct job_spec *job, const char *name)
{
    for (size_t i = 0; i < job->stages_len; i++) {
        if (strcmp(job->stages[i].name, name) == 0)
            return &job->stages[i];
    }
    return NULL;
}

const struct origin *origin_find(const struct origins *origins, const char *key)
{
    for (size_t i = 0; i < origins->len; i++) {
        if (strcmp(origins->list[i].key, key) == 0)
            return &origins->list[i];
    }
    return NULL;
}

void origins_fini(struct origins *origins)
{
    for (size_t i = 0; i < origins->len; i++)
        free(origins->list[i].template);
    free(origins->list);
    *origins = (struct origins){.list = NULL};
}

/* Not const: the structs hold plain char *, which are never written. */
static char discover_name[] = DISCOVER_JOB;
static char discover_stage_name[] = "discover";
static char discover_handler[] = "builtin discover";
static char nothing[] = "";

static struct stage_spec discover_stage = {
    .name = discover_stage_name,
    .version = nothing,
    .handler = {.kind = HANDLER_BUILTIN, .text = discover_handler, .builtin = BUILTIN_DISCOVER},
    .tuning =
        {
            .timeout_ms = INT64_C(3600000),
            .grace_ms = 5000,
            .max_attempts = 3,
            .backoff_base_ms = 60000,
            .backoff_max_ms = INT64_C(3600000),
            .backoff_factor = 2,
            .jitter_pct = 30,
            .stderr_tail_bytes = 4096,
            .output_size_bytes = INT64_C(1) << 20,
            .on_worker_death = ON_DEATH_REQUEUE,
            .concurrency = 1,
            .batch = 1,
        },
};

static const struct job_spec discover_job = {
    .name = discover_name,
    .discover = DISCOVER_MANUAL,
    .discover_arg = nothing,
    .ageing_ms = INT64_C(3600000),
    .merge = MERGE_OVERWRITE,
    .on_change = ON_CHANGE_KEEP,
    .stages = &discover_stage,
    .stages_len = 1,
    .has_own_stage = false,
};

const struct job_spec *config_discover_job(void)
{
    return &discover_job;
}
