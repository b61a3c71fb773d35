#include "common/config/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/discover_parse.h"
#include "common/config/handler_parse.h"

static void stage_spec_fini(struct stage_spec *stage)
{
    free(stage->name);
    free(stage->version);
    handler_fini(&stage->handler);
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
    *job = (struct job_spec){.name = NULL};
}

/* What one [job] section says, while its stages are built from it. */
struct draft {
    const struct section_list *sections;
    const struct section *section;
    struct given given;
    struct job_spec *job;
    struct stage_spec mould; /* what the stages inherit; handler and version of the only one */
};

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

static void check_discover_keys(const struct draft *d)
{
    const char *strategy = discover_kind_name(d->job->discover);
    for (size_t i = 0; i < options_len; i++) {
        const struct option *o = &options[i];
        if (!o->strategy || is_listed(o->strategy, strategy) || !given_has(&d->given, o->name))
            continue;
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

static void build_stage(struct draft *d, struct stage_spec *stage, bool is_only)
{
    const struct section *section = section_of_stage(d->sections, d->job->name, stage->name);
    struct given given = {.section = NULL};
    bool has_handler = false;
    stage->tuning = d->mould.tuning;
    if (is_only) {
        stage->handler = d->mould.handler;
        stage->version = TAKE_PTR(d->mould.version);
        d->mould.handler = (struct handler){.text = NULL};
        has_handler = given_has(&d->given, "handler");
    }
    struct target target = {.stage = stage};
    if (section)
        section_apply(d->sections, section, &target, &given);
    if (!stage->version)
        stage->version = xstrdup("");
    /* One that is given but wrong has been told already. */
    if (!has_handler && !given_has(&given, "handler"))
        no_handler(d, stage, section, is_only);
}

/* With a list of stages, handler and version of the job would be nobody's. */
static void check_moulded(const struct draft *d)
{
    static const char *const keys[] = {"handler", "version"};
    for (size_t i = 0; i < 2; i++) {
        if (!given_has(&d->given, keys[i]))
            continue;
        struct place at = given_place(&d->given, keys[i]);
        problem_add(d->sections->problems, &at,
            "%s stands in a job that has stages; it belongs to [stage %s.%s]", keys[i],
            d->job->name, d->job->stages[0].name);
    }
}

static void build_job(
    const struct section_list *sections, const struct section *section, struct job_spec *job)
{
    struct draft d = {.sections = sections, .section = section, .job = job};
    struct target target = {.job = job, .stage = &d.mould};
    *job = (struct job_spec){.name = xstrdup(section->name)};
    target_set_presets(sections, SECTION_JOB, &target);
    target_set_presets(sections, SECTION_STAGE, &target);
    section_apply(sections, section, &target, &d.given);
    check_discover_keys(&d);
    bool is_only = job->stages_len == 0;
    if (!is_only) {
        check_moulded(&d);
    } else if (!given_has(&d.given, "stages")) {
        job->stages = xcalloc(1, sizeof(*job->stages));
        job->stages[0].name = xstrdup(job->name);
        job->stages_len = 1;
        job->has_own_stage = true;
    }
    for (size_t i = 0; i < job->stages_len; i++)
        build_stage(&d, &job->stages[i], is_only);
    stage_spec_fini(&d.mould);
}

static void unknown_job(
    const struct section_list *sections, const struct section *s, const struct config *config)
{
    CLEANUP_FREE const char **names = xcalloc(config->jobs_len + 1, sizeof(*names));
    for (size_t i = 0; i < config->jobs_len; i++)
        names[i] = config->jobs[i].name;
    const char *near = text_nearest(s->name, names, config->jobs_len);
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
    CLEANUP_FREE const char **names = xcalloc(job->stages_len + 1, sizeof(*names));
    for (size_t i = 0; i < job->stages_len; i++)
        names[i] = job->stages[i].name;
    const char *near = text_nearest(s->stage, names, job->stages_len);
    if (near)
        problem_add(sections->problems, &s->at,
            "[stage %s.%s]: job %s has no stage \"%s\"; did you mean \"%s\"?", s->name, s->stage,
            s->name, s->stage, near);
    else
        problem_add(sections->problems, &s->at,
            "[stage %s.%s]: job %s has no stage \"%s\"; add it to its \"stages = \"", s->name,
            s->stage, s->name, s->stage);
}

/* Sections that no job took. Their keys are looked at all the same: all problems in one go. */
static void check_stray(
    const struct section_list *sections, const struct section *s, const struct config *config)
{
    const struct job_spec *job = config_job(config, s->name);
    if (job && job_stage(job, s->stage))
        return;
    if (!job)
        unknown_job(sections, s, config);
    else if (job->stages_len > 0) /* else its list is wrong, and that has been told */
        unlisted_stage(sections, s, job);
    struct stage_spec scratch = {.name = NULL};
    struct target target = {.stage = &scratch};
    struct given given;
    section_apply(sections, s, &target, &given);
    stage_spec_fini(&scratch);
}

void jobs_build(const struct section_list *sections, struct config *config)
{
    config->jobs = xcalloc(sections->len, sizeof(*config->jobs));
    for (size_t i = 0; i < sections->len; i++) {
        if (sections->list[i].kind == SECTION_JOB)
            build_job(sections, &sections->list[i], &config->jobs[config->jobs_len++]);
    }
    for (size_t i = 0; i < sections->len; i++) {
        if (sections->list[i].kind == SECTION_STAGE)
            check_stray(sections, &sections->list[i], config);
    }
}
