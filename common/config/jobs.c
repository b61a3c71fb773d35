#include "common/config/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/apply.h"
#include "common/config/discover_parse.h"
#include "common/config/env.h"
#include "common/config/handler_parse.h"

void stage_spec_fini(struct stage_spec *stage)
{
    free(stage->name);
    free(stage->version);
    handler_fini(&stage->handler);
    env_fini(&stage->env);
    origins_fini(&stage->origins);
}

void job_spec_fini(struct job_spec *job)
{
    for (size_t i = 0; i < job->stages_len; i++)
        stage_spec_fini(&job->stages[i]);
    free(job->stages);
    for (size_t i = 0; i < job->discover_options_len; i++) {
        free(job->discover_options[i].key);
        free(job->discover_options[i].value);
    }
    free(job->discover_options);
    free(job->discover_arg);
    free(job->name);
    env_fini(&job->env);
    origins_fini(&job->origins);
    *job = (struct job_spec){.name = NULL};
}

/* What one [job] section says, while its stages are built from it. */
struct draft {
    const struct section_list *sections;
    bool *is_taken; /* by place in sections: which [stage] sections belong to a job's stage */
    const struct section *section;
    struct given given;
    struct job_spec *job;
    struct stage_spec mould; /* what the stages inherit; handler and version of the only one */
};

/* Not inherited by the stages of a list. */
static const char *const own_keys[] = {"handler", "version"};
#define OWN_KEYS_LEN (sizeof(own_keys) / sizeof(own_keys[0]))

/* Is word one of the blank-divided words of list? */
static bool is_listed(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (strncmp(p, word, len) == 0 && (p[len] == ' ' || !p[len]))
            return true;
    }
    return false;
}

static void drop_discover_option(struct job_spec *job, const char *name)
{
    const char *key = strchr(name, '.') + 1;
    for (size_t i = 0; i < job->discover_options_len; i++) {
        struct discover_option *o = &job->discover_options[i];
        if (strcmp(o->key, key) != 0)
            continue;
        free(o->key);
        free(o->value);
        *o = job->discover_options[--job->discover_options_len];
        return;
    }
}

/* Of a template, they went with its strategy. */
static void check_discover_keys(struct draft *d)
{
    const char *strategy = discover_kind_name(d->job->discover);
    for (size_t i = 0; i < options_len; i++) {
        const struct option *o = &options[i];
        if (!o->strategy || is_listed(o->strategy, strategy) || !given_has(&d->given, o->name))
            continue;
        if (given_template(&d->given, o->name)) {
            drop_discover_option(d->job, o->name);
            given_forget(&d->given, o->name);
            continue;
        }
        struct place at = given_place(&d->given, o->name);
        problem_add(d->sections->problems, &at, "%s is not for discover = %s, but for: %s", o->name,
            strategy, o->strategy);
    }
}

static void no_handler(const struct draft *d, const struct stage_spec *stage,
    const struct section *section, bool is_only)
{
    struct place at = section ? section->at : given_place(&d->given, "stages");
    if (is_only)
        problem_add(d->sections->problems, &d->section->at,
            "job %s has nothing to run; add \"handler = exec PROGRAM\" or \"stages = NAME NAME\"",
            d->job->name);
    else
        problem_add(d->sections->problems, &at,
            "stage %s.%s has no handler; add \"handler = exec PROGRAM\" to [stage %s.%s]",
            d->job->name, stage->name, d->job->name, stage->name);
}

/* What the job says comes first, so that the stage's template and section win over it. */
static void begin_stage(struct draft *d, struct stage_spec *stage, struct given *ret_given)
{
    *ret_given = d->given;
    stage->tuning = d->mould.tuning;
    env_copy(&stage->env, &d->mould.env);
    if (!d->job->has_own_stage) {
        for (size_t i = 0; i < OWN_KEYS_LEN; i++)
            given_forget(ret_given, own_keys[i]);
        return;
    }
    stage->handler = d->mould.handler;
    stage->version = TAKE_PTR(d->mould.version);
    d->mould.handler = (struct handler){.text = NULL};
}

/* A key of the stage, or of its job or their templates. */
static void check_runs(
    const struct draft *d, const struct stage_spec *stage, const struct given *given)
{
    static const char *const keys[] = {"concurrency", "batch"};
    const int64_t values[] = {stage->tuning.concurrency, stage->tuning.batch};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (values[i] <= 1 || !given_has(given, keys[i]))
            continue;
        struct place at = given_place(given, keys[i]);
        if (values[0] * values[1] > RUNS_MAX) {
            problem_add(d->sections->problems, &at,
                "stage %s.%s: concurrency %lld times batch %lld is more than %d", d->job->name,
                stage->name, (long long)values[0], (long long)values[1], RUNS_MAX);
            return;
        }
        bool is_fitting =
            i == 0 ? handler_is_resident(&stage->handler) : stage->handler.kind != HANDLER_BUILTIN;
        /* What the whole job says is for those of its stages that it can be for. */
        if (stage->handler.text != NULL && !is_fitting &&
            (d->job->has_own_stage || !given_has(&d->given, keys[i])))
            problem_add(d->sections->problems, &at,
                "%s is for handler = %sresident or plugin; stage %s.%s has handler = %.60s",
                keys[i], i == 0 ? "" : "exec, shell, ", d->job->name, stage->name,
                stage->handler.text);
    }
}

static void build_stage(struct draft *d, struct stage_spec *stage)
{
    const struct section *section =
        section_find(d->sections, SECTION_STAGE, d->job->name, stage->name);
    struct target target = {.stage = stage};
    struct given given;
    begin_stage(d, stage, &given);
    if (section) {
        d->is_taken[section - d->sections->list] = true;
        section_apply(d->sections, section, &target, &given);
    }
    if (!stage->version)
        stage->version = xstrdup("");
    origins_record(&stage->origins, &given, SECTION_STAGE);
    check_runs(d, stage, &given);
    /* One that is given but wrong has been told already. */
    if (!given_has(&given, "handler"))
        no_handler(d, stage, section, d->job->has_own_stage);
}

/* With a list of stages, handler and version of the job would be nobody's. */
static void check_moulded(const struct draft *d)
{
    for (size_t i = 0; i < OWN_KEYS_LEN; i++) {
        const char *key = own_keys[i], *job = d->job->name, *stage = d->job->stages[0].name;
        if (!given_has(&d->given, key))
            continue;
        struct place at = given_place(&d->given, key);
        const struct section *template = given_template(&d->given, key);
        if (template)
            problem_add(d->sections->problems, &d->section->at,
                "job %s has stages and uses template %s, whose %s (%s:%zu) would be nobody's; use "
                "it in [stage %s.%s]",
                job, template->name, key, at.file, at.line, job, stage);
        else
            problem_add(d->sections->problems, &at,
                "%s stands in a job that has stages; it belongs to [stage %s.%s]", key, job, stage);
    }
}

/* Without a list there is one stage, named after the job. */
static void make_own_stage(struct job_spec *job)
{
    job->stages = xcalloc(1, sizeof(*job->stages));
    job->stages[0].name = xstrdup(job->name);
    job->stages_len = 1;
    job->has_own_stage = true;
}

static void build_job(const struct section_list *sections, bool *is_taken,
    const struct section *section, struct job_spec *job)
{
    struct draft d = {.sections = sections, .is_taken = is_taken, .section = section, .job = job};
    struct target target = {.job = job, .stage = &d.mould};
    *job = (struct job_spec){.name = xstrdup(section->name)};
    target_set_presets(sections, SECTION_JOB, &target);
    target_set_presets(sections, SECTION_STAGE, &target);
    section_apply(sections, section, &target, &d.given);
    check_discover_keys(&d);
    origins_record(&job->origins, &d.given, SECTION_JOB);
    if (job->stages_len > 0)
        check_moulded(&d);
    else if (!given_has(&d.given, "stages"))
        make_own_stage(job);
    for (size_t i = 0; i < job->stages_len; i++)
        build_stage(&d, &job->stages[i]);
    job->env = d.mould.env;
    d.mould.env = (struct env){.list = NULL};
    stage_spec_fini(&d.mould);
}

static void unknown_job(
    const struct section_list *sections, const struct section *s, const struct config *config)
{
    const size_t len = problems_are_full(sections->problems) ? 0 : config->jobs_len;
    CLEANUP_FREE const char **names = xcalloc(len + 1, sizeof(*names));
    for (size_t i = 0; i < len; i++)
        names[i] = config->jobs[i].name;
    const char *near = text_nearest(s->name, names, len);
    if (near)
        problem_add(sections->problems, &s->at,
            "[stage %s.%s] is of an unknown job \"%s\"; did you mean \"%s\"?", s->name, s->stage,
            s->name, near);
    else
        problem_add(sections->problems, &s->at,
            "[stage %s.%s] is of an unknown job \"%s\"; add a section [job %s]", s->name, s->stage,
            s->name, s->name);
}

static void unlisted_stage(
    const struct section_list *sections, const struct section *s, const struct job_spec *job)
{
    const size_t len = problems_are_full(sections->problems) ? 0 : job->stages_len;
    CLEANUP_FREE const char **names = xcalloc(len + 1, sizeof(*names));
    for (size_t i = 0; i < len; i++)
        names[i] = job->stages[i].name;
    const char *near = text_nearest(s->stage, names, len);
    if (near)
        problem_add(sections->problems, &s->at,
            "[stage %s.%s]: job %s has no stage \"%s\"; did you mean \"%s\"?", s->name, s->stage,
            s->name, s->stage, near);
    else
        problem_add(sections->problems, &s->at,
            "[stage %s.%s]: job %s has no stage \"%s\"; add it to its \"stages = \"", s->name,
            s->stage, s->name, s->stage);
}

static const char *find_list(const struct section *job)
{
    for (size_t i = 0; job && i < job->ini->pairs_len; i++)
        if (strcmp(job->ini->pairs[i].key, "stages") == 0)
            return job->ini->pairs[i].value;
    return NULL;
}

/* The job's list is wrong, and that has been told; whatever is not near any word of it has nothing
 * to do with that. */
static void check_against_words(const struct section_list *sections, const struct section *s)
{
    static const char blanks[] = " \t\n";
    const char *list = find_list(section_find(sections, SECTION_JOB, s->name, NULL));
    for (const char *p = list; p && *p; p += strspn(p, blanks)) {
        size_t len = strcspn(p, blanks);
        CLEANUP_FREE char *word = xstrndup(p, len);
        const char *const words[] = {word};
        if (text_nearest(s->stage, words, 1))
            return;
        p += len;
    }
    if (list && *list)
        problem_add(sections->problems, &s->at,
            "[stage %s.%s]: job %s has no stage \"%s\"; add it to its \"stages = \"", s->name,
            s->stage, s->name, s->stage);
}

/* Sections that no job took. Their keys are looked at all the same: all problems in one go. */
static void check_stray(
    const struct section_list *sections, const struct section *s, const struct config *config)
{
    const struct job_spec *job = config_job(config, s->name);
    if (!job && !sections->is_incomplete)
        unknown_job(sections, s, config);
    else if (job && job->stages_len > 0)
        unlisted_stage(sections, s, job);
    else if (job)
        check_against_words(sections, s);
    struct stage_spec scratch = {.name = NULL};
    struct target target = {.stage = &scratch};
    struct given given = {.section = NULL};
    section_apply(sections, s, &target, &given);
    stage_spec_fini(&scratch);
}

void jobs_build(const struct section_list *sections, struct config *config)
{
    CLEANUP_FREE bool *is_taken = xcalloc(sections->len + 1, sizeof(*is_taken));
    config->jobs = xcalloc(sections->len + 1, sizeof(*config->jobs));
    for (size_t i = 0; i < sections->len; i++) {
        const struct section *s = &sections->list[i];
        if (s->kind == SECTION_JOB)
            build_job(sections, is_taken, s, &config->jobs[config->jobs_len++]);
    }
    for (size_t i = 0; i < sections->len; i++) {
        if (sections->list[i].kind == SECTION_STAGE && !is_taken[i])
            check_stray(sections, &sections->list[i], config);
    }
}
