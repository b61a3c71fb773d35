#include "common/config/settings.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/config/value_text.h"

struct walk {
    const struct config *config;
    setting_fn fn;
    void *ctx;
    const char *section, *owner;
    const struct origins *origins;
};

static void tell(
    const struct walk *w, const struct option *option, const char *key, const char *value)
{
    const struct setting setting = {
        .section = w->section,
        .owner = w->owner,
        .key = key,
        .value = value,
        .option = option,
        .origin = key ? origin_find(w->origins, key) : NULL,
    };
    w->fn(w->ctx, &setting);
}

static void tell_env(const struct walk *w, const struct option *option, const struct env *env)
{
    for (size_t i = 0; i < env->len; i++) {
        const struct env_var *var = &env->list[i];
        const char *literal = strchr(var->entry, '=') + 1;
        /* As it is written: a text that begins with @ has two. */
        CLEANUP_FREE char *doubled = literal[0] == '@' ? xasprintf("@%s", literal) : NULL;
        const struct setting setting = {
            .section = w->section,
            .owner = w->owner,
            .key = var->key,
            .value = var->reference ? var->reference
                     : doubled      ? doubled
                                    : literal,
            .option = option,
            .origin = &var->origin,
            .secret = var->reference ? var : NULL,
        };
        w->fn(w->ctx, &setting);
    }
}

static void tell_exits(
    const struct walk *w, const struct option *option, const struct exit_rules *rules)
{
    for (size_t i = 0; i < rules->len; i++) {
        const struct exit_rule *rule = &rules->list[i];
        CLEANUP_FREE char *key = xasprintf(EXIT_PREFIX "%d", rule->status);
        const struct origin origin = {.key = key, .file = rule->file, .line = rule->line};
        const struct setting setting = {
            .section = w->section,
            .owner = w->owner,
            .key = key,
            .value = rule->text,
            .option = option,
            .origin = &origin,
        };
        w->fn(w->ctx, &setting);
    }
}

static void tell_discover_option(
    const struct walk *w, const struct option *option, const struct job_spec *job)
{
    const char *key = strchr(option->name, '.') + 1;
    for (size_t i = 0; i < job->discover_options_len; i++) {
        if (strcmp(job->discover_options[i].key, key) == 0)
            tell(w, option, option->name, job->discover_options[i].value);
    }
}

static void walk_keys(const struct walk *w, enum option_section section, const void *base)
{
    for (size_t i = 0; i < options_len; i++) {
        const struct option *o = &options[i];
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        if (o->section != section)
            continue;
        if (o->strategy)
            tell_discover_option(w, o, base);
        else if (o->type == OPTION_ENV)
            tell_env(w, o, &((const struct stage_spec *)base)->env);
        else if (o->type == OPTION_EXIT)
            tell_exits(w, o, &((const struct stage_spec *)base)->tuning.exits);
        else if (value_add_text(o, w->config, base, &text))
            tell(w, o, o->name, buf_str(&text));
    }
}

static void walk_section(
    struct walk *w, const char *title, enum option_section section, const void *base)
{
    w->section = title;
    tell(w, NULL, NULL, NULL);
    walk_keys(w, section, base);
}

static void walk_stages(struct walk *w, const struct job_spec *job)
{
    w->owner = w->section;
    for (size_t i = 0; i < job->stages_len; i++) {
        CLEANUP_FREE char *title = xasprintf("stage %s.%s", job->name, job->stages[i].name);
        w->origins = &job->stages[i].origins;
        walk_section(w, title, SECTION_STAGE, &job->stages[i]);
    }
    w->owner = NULL;
}

static void walk_job(struct walk *w, const struct job_spec *job)
{
    CLEANUP_FREE char *title = xasprintf("job %s", job->name);
    w->origins = &job->origins;
    walk_section(w, title, SECTION_JOB, job);
    if (job->has_own_stage) {
        w->origins = &job->stages[0].origins;
        walk_keys(w, SECTION_STAGE, &job->stages[0]);
    } else {
        /* Its stages have them, too, unless they replace them; its discovery has these. */
        tell_env(w, option_find(SECTION_STAGE, ENV_PREFIX), &job->env);
        walk_stages(w, job);
    }
}

void config_settings(const struct config *config, setting_fn fn, void *ctx)
{
    struct walk w = {.config = config, .fn = fn, .ctx = ctx, .origins = &config->pool.origins};
    walk_section(&w, "pool", SECTION_POOL, &config->pool);
    for (size_t i = 0; i < config->resources_len; i++) {
        CLEANUP_FREE char *title = xasprintf("resource %s", config->resources[i].name);
        w.origins = &config->resources[i].origins;
        walk_section(&w, title, SECTION_RESOURCE, &config->resources[i]);
    }
    for (size_t i = 0; i < config->jobs_len; i++)
        walk_job(&w, &config->jobs[i]);
}
