#include "common/config/apply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/env.h"
#include "common/config/templates.h"
#include "common/config/values.h"
#include "common/config/verdicts.h"

/* One section on its way into a target. */
struct applying {
    const struct section_list *list;
    const struct section *section; /* whose pairs these are */
    const struct section *user;    /* whose target it is: the section itself, or who uses it */
    const struct target *target;
    struct given *given;
};

static void unknown_key(
    const struct applying *a, const struct place *at, const char *key, const char *title)
{
    struct problems *problems = a->list->problems;
    const char *names[OPTIONS_MAX] = {NULL};
    size_t n = 0;
    const struct option *elsewhere = NULL;
    for (size_t i = 0; i < options_len; i++) {
        if (option_in(a->section->kind, options[i].name) == &options[i])
            names[n++] = options[i].name;
        else if (!elsewhere && option_find(options[i].section, key) == &options[i])
            elsewhere = &options[i];
    }
    const char *near = problems_are_full(problems) ? NULL : text_nearest(key, names, n);
    if (elsewhere)
        problem_add(problems, at, "unknown key \"%s\" in [" TITLE_SHOWN "]; it belongs to %s", key,
            title, option_section_form(elsewhere->section));
    else if (near)
        problem_add(problems, at, "unknown key \"%s\" in [" TITLE_SHOWN "]; did you mean \"%s\"?",
            key, title, near);
    else
        problem_add(problems, at,
            "unknown key \"%s\" in [" TITLE_SHOWN "]; the commented example stint.conf lists all",
            key, title);
}

static void *target_base(const struct target *target, enum option_section section)
{
    switch (section) {
    case SECTION_POOL:
        return target->pool;
    case SECTION_RESOURCE:
        return target->resource;
    case SECTION_JOB:
        return target->job;
    case SECTION_STAGE:
        return target->stage;
    case SECTION_TEMPLATE:
    case SECTION_COUNT:
        break;
    }
    return NULL;
}

static void keep_discover_option(struct job_spec *job, const char *name, const char *value)
{
    const char *key = strchr(name, '.') + 1;
    size_t n = job->discover_options_len, i = 0;
    while (i < n && strcmp(job->discover_options[i].key, key) != 0)
        i++;
    if (i < n) { /* its template had one */
        free(job->discover_options[i].value);
        job->discover_options[i].value = xstrdup(value);
        return;
    }
    job->discover_options =
        xrealloc(job->discover_options, (n + 1) * sizeof(struct discover_option));
    job->discover_options[n] =
        (struct discover_option){.key = xstrdup(key), .value = xstrdup(value)};
    job->discover_options_len = n + 1;
}

/* One of many keys that a row of the table stands for. */
static bool is_one_of_many(const struct option *o)
{
    return o->type == OPTION_ENV || o->type == OPTION_EXIT;
}

static enum rc set_one_of_many(
    const struct applying *a, const struct option *o, const struct ini_pair *pair, struct err *err)
{
    const struct origin origin = {
        .file = a->section->at.file,
        .line = pair->line,
        .template = a->section->kind == SECTION_TEMPLATE ? a->section->name : NULL,
    };
    struct stage_spec *stage = a->target->stage;
    if (o->type == OPTION_EXIT)
        return exit_rule_set(&stage->tuning.exits, pair->key, pair->value, &origin, err);
    return env_set(&stage->env, pair, a->list->sources, &origin, err);
}

static enum rc set_value(
    const struct applying *a, const struct option *o, const struct ini_pair *pair, struct err *err)
{
    void *base = target_base(a->target, o->section);
    assert(base);
    if (o->type == OPTION_TEMPLATE)
        return template_check_use(a->list, pair->value, err);
    if (is_one_of_many(o))
        return set_one_of_many(a, o, pair, err);
    if (!o->strategy)
        return value_set(o, pair->value, a->list->config, base, err);
    enum rc rc = value_check(o, pair->value, err);
    if (rc == RC_OK)
        keep_discover_option(a->target->job, o->name, pair->value);
    return rc;
}

/* What names something that may stand in a file that could not be read. */
static bool is_forgiven(const struct applying *a, const struct option *o)
{
    return a->list->is_incomplete && (o->type == OPTION_RESOURCES || o->type == OPTION_TEMPLATE);
}

static void apply_pair(
    const struct applying *a, const struct option *o, const struct ini_pair *pair)
{
    struct err err;
    enum rc rc = set_value(a, o, pair, &err);
    if (rc == RC_OK || a->user != a->section || is_forgiven(a, o))
        return;
    struct place at = section_pair_place(a->section, pair);
    problem_add(a->list->problems, &at, "%s: %s", pair->key, err.text);
}

/* Where more are looked back upon, there is one twice among them, or too many in all: refused. */
#define LOOK_BACK_MAX (4 * ENV_LEN_MAX)

/* env.NAME, exit.N: the earlier pairs; of other keys the table below knows. */
static const struct ini_pair *earlier_pair(const struct section *section, size_t place)
{
    const struct ini_pair *pairs = section->ini->pairs;
    for (size_t i = 0; i < place && i < LOOK_BACK_MAX; i++) {
        if (strcmp(pairs[i].key, pairs[place].key) == 0)
            return &pairs[i];
    }
    return NULL;
}

static void told_twice(
    const struct applying *a, const struct ini_pair *pair, const struct ini_pair *first)
{
    struct place at = section_pair_place(a->section, pair);
    if (a->user == a->section)
        problem_add(a->list->problems, &at,
            "the key \"%s\" is there twice in [" TITLE_SHOWN "]; the first is in line %zu",
            pair->key, a->section->ini->title, first->line);
}

/* A key of a template that is none of the section that uses it; else it is unknown to both. */
static void foreign_key(const struct applying *a, const struct ini_pair *pair)
{
    struct place at = section_pair_place(a->section, pair);
    if (a->user == a->section) {
        unknown_key(a, &at, pair->key, a->section->ini->title);
        return;
    }
    const struct option *o = option_in(SECTION_TEMPLATE, pair->key);
    struct place use = template_use_place(a->user);
    if (o)
        problem_add(a->list->problems, &use,
            "use: template %s has the key \"%s\" (%s:%zu), which belongs to %s, not to "
            "[" TITLE_SHOWN "]",
            a->section->name, pair->key, at.file, at.line, option_section_form(o->section),
            a->user->ini->title);
}

static void apply(const struct applying *a)
{
    const struct ini_pair *seen[OPTIONS_MAX] = {NULL};
    assert(options_len <= OPTIONS_MAX);
    for (size_t i = 0; i < a->section->ini->pairs_len; i++) {
        const struct ini_pair *pair = &a->section->ini->pairs[i];
        const struct option *o = option_in(a->user->kind, pair->key);
        if (!o) {
            foreign_key(a, pair);
            continue;
        }
        const bool is_many = is_one_of_many(o);
        const struct ini_pair *first = is_many ? earlier_pair(a->section, i) : seen[o - options];
        if (first) {
            told_twice(a, pair, first);
            continue;
        }
        seen[o - options] = pair;
        if (!is_many)
            a->given->at[o - options] = (struct given_pair){a->section, pair};
        apply_pair(a, o, pair);
    }
}

void section_apply_own(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *given)
{
    const struct applying a = {list, section, section, target, given};
    given->section = section;
    apply(&a);
}

void section_apply(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *given)
{
    const struct section *chain[TEMPLATES_DEEP_MAX];
    for (size_t n = template_chain(list, section, chain); n > 0; n--) {
        const struct applying a = {list, chain[n - 1], section, target, given};
        apply(&a);
    }
    section_apply_own(list, section, target, given);
}

void target_set_presets(
    const struct section_list *list, enum option_section kind, const struct target *target)
{
    for (size_t i = 0; i < options_len; i++) {
        const struct option *o = &options[i];
        if (o->section != kind || !o->preset)
            continue;
        enum rc rc = value_set(o, o->preset, list->config, target_base(target, kind), NULL);
        assert(rc == RC_OK); /* a preset that its own type refuses is our bug */
        (void)rc;
    }
}

/* NULL: not given. */
static const struct given_pair *given_find(const struct given *given, const char *key)
{
    for (size_t i = 0; i < options_len; i++) {
        if (given->at[i].section && strcmp(options[i].name, key) == 0)
            return &given->at[i];
    }
    return NULL;
}

bool given_has(const struct given *given, const char *key)
{
    return given_find(given, key) != NULL;
}

struct place given_place(const struct given *given, const char *key)
{
    const struct given_pair *found = given_find(given, key);
    if (found)
        return section_pair_place(found->section, found->pair);
    return given->section ? given->section->at : (struct place){.file = "stint.conf", .line = 1};
}

const struct section *given_template(const struct given *given, const char *key)
{
    const struct given_pair *found = given_find(given, key);
    return found && found->section->kind == SECTION_TEMPLATE ? found->section : NULL;
}

void given_forget(struct given *given, const char *key)
{
    for (size_t i = 0; i < options_len; i++) {
        if (strcmp(options[i].name, key) == 0)
            given->at[i] = (struct given_pair){.section = NULL};
    }
}

void origins_record(struct origins *to, const struct given *given, enum option_section kind)
{
    size_t n = 0;
    for (size_t i = 0; i < options_len; i++)
        n += options[i].section == kind && given->at[i].section;
    to->list = xcalloc(n ? n : 1, sizeof(*to->list));
    for (size_t i = 0; i < options_len; i++) {
        const struct given_pair *at = &given->at[i];
        if (options[i].section != kind || !at->section)
            continue;
        to->list[to->len++] = (struct origin){
            .key = options[i].name,
            .file = at->section->at.file,
            .line = at->pair->line,
            .template = at->section->kind == SECTION_TEMPLATE ? xstrdup(at->section->name) : NULL,
        };
    }
}
