#include "common/config/sections.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/values.h"

#define TITLE_SHOWN "%.140s"

static bool is_same(const struct section *a, const struct section *b)
{
    if (a->kind != b->kind)
        return false;
    return strcmp(a->name ? a->name : "", b->name ? b->name : "") == 0 &&
           strcmp(a->stage ? a->stage : "", b->stage ? b->stage : "") == 0;
}

static void unknown_section(
    const struct section_list *list, const struct section *s, const char *word)
{
    const char *words[SECTION_COUNT];
    for (size_t i = 0; i < SECTION_COUNT; i++)
        words[i] = option_section_name((enum option_section)i);
    const char *near = text_nearest(word, words, SECTION_COUNT);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (near != words[i])
            continue;
        problem_add(list->problems, &s->at, "unknown section [" TITLE_SHOWN "]; did you mean %s?",
            s->ini->title, option_section_form((enum option_section)i));
        return;
    }
    problem_add(list->problems, &s->at,
        "unknown section [" TITLE_SHOWN
        "]; expected [pool], [resource NAME], [job NAME] or [stage JOB.NAME]",
        s->ini->title);
}

static bool check_name(const struct section_list *list, const struct section *s, const char *name)
{
    if (text_is_name(name))
        return true;
    problem_add(list->problems, &s->at,
        "\"" TITLE_SHOWN "\" in [" TITLE_SHOWN
        "] is no name; expected 1 to 64 of A-Z, a-z, 0-9, _ and -",
        name, s->ini->title);
    return false;
}

/* Names have no dot, so the first one parts job and stage. */
static bool read_stage_title(const struct section_list *list, struct section *s, const char *rest)
{
    const char *dot = strchr(rest, '.');
    if (!dot) {
        problem_add(list->problems, &s->at,
            "[" TITLE_SHOWN "] does not say which job; expected [stage JOB.NAME]", s->ini->title);
        return false;
    }
    s->name = xstrndup(rest, (size_t)(dot - rest));
    s->stage = xstrdup(dot + 1);
    return check_name(list, s, s->name) && check_name(list, s, s->stage);
}

static bool read_title(const struct section_list *list, struct section *s)
{
    const char *title = s->ini->title;
    size_t len = strcspn(title, " \t");
    const char *rest = title + len + strspn(title + len, " \t");
    CLEANUP_FREE char *word = xstrndup(title, len);
    if (strcmp(word, "pool") == 0 && !*rest) {
        s->kind = SECTION_POOL;
        return true;
    }
    if (strcmp(word, "job") == 0 || strcmp(word, "resource") == 0) {
        s->kind = *word == 'j' ? SECTION_JOB : SECTION_RESOURCE;
        s->name = xstrdup(rest);
        return check_name(list, s, s->name);
    }
    if (strcmp(word, "stage") == 0) {
        s->kind = SECTION_STAGE;
        return read_stage_title(list, s, rest);
    }
    unknown_section(list, s, word);
    return false;
}

static bool is_new(const struct section_list *list, const struct section *s)
{
    for (size_t i = 0; i < list->len && !s->is_environment; i++) {
        const struct section *other = &list->list[i];
        if (!is_same(other, s))
            continue;
        problem_add(list->problems, &s->at,
            "the section [" TITLE_SHOWN "] is there twice; the first is at %s:%zu", s->ini->title,
            other->at.file, other->at.line);
        return false;
    }
    return true;
}

static void section_fini(struct section *s)
{
    free(s->name);
    free(s->stage);
}

void sections_add(struct section_list *to, const struct ini_document *document, const char *file,
    bool is_environment)
{
    to->list = xrealloc(to->list, (to->len + document->len) * sizeof(*to->list));
    for (size_t i = 0; i < document->len; i++) {
        const struct ini_section *ini = &document->sections[i];
        struct section s = {.ini = ini, .is_environment = is_environment};
        s.at = (struct place){.file = file, .line = ini->line};
        if (read_title(to, &s) && is_new(to, &s))
            to->list[to->len++] = s;
        else
            section_fini(&s);
    }
}

void sections_fini(struct section_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        section_fini(&list->list[i]);
    free(list->list);
    *list = (struct section_list){.list = NULL};
}

const struct section *section_of_job(const struct section_list *list, const char *job)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct section *s = &list->list[i];
        if (s->kind == SECTION_JOB && strcmp(s->name, job) == 0)
            return s;
    }
    return NULL;
}

const struct section *section_of_stage(
    const struct section_list *list, const char *job, const char *stage)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct section *s = &list->list[i];
        if (s->kind == SECTION_STAGE && strcmp(s->name, job) == 0 && strcmp(s->stage, stage) == 0)
            return s;
    }
    return NULL;
}

static struct place pair_place(const struct section *s, const struct ini_pair *pair)
{
    struct place at = s->at;
    at.line = pair->line;
    at.variable = s->is_environment ? pair->key : NULL;
    return at;
}

static size_t given_index(const struct given *given, const char *key)
{
    for (size_t i = 0; given->section && i < options_len; i++) {
        if (given->pair[i] && strcmp(options[i].name, key) == 0)
            return given->pair[i];
    }
    return 0;
}

bool given_has(const struct given *given, const char *key)
{
    return given_index(given, key) > 0;
}

struct place given_place(const struct given *given, const char *key)
{
    size_t pair = given_index(given, key);
    if (pair == 0)
        return given->section ? given->section->at : (struct place){.file = "stint.conf"};
    return pair_place(given->section, &given->section->ini->pairs[pair - 1]);
}

static void unknown_key(const struct section_list *list, const struct section *s,
    const struct place *at, const char *key)
{
    const char *names[OPTIONS_MAX] = {NULL};
    size_t n = 0;
    const struct option *elsewhere = NULL;
    for (size_t i = 0; i < options_len; i++) {
        if (option_in(s->kind, options[i].name) == &options[i])
            names[n++] = options[i].name;
        else if (strcmp(options[i].name, key) == 0)
            elsewhere = &options[i];
    }
    const char *near = text_nearest(key, names, n);
    if (elsewhere)
        problem_add(list->problems, at, "unknown key \"%s\" in [" TITLE_SHOWN "]; it belongs to %s",
            key, s->ini->title, option_section_form(elsewhere->section));
    else if (near)
        problem_add(list->problems, at,
            "unknown key \"%s\" in [" TITLE_SHOWN "]; did you mean \"%s\"?", key, s->ini->title,
            near);
    else
        problem_add(list->problems, at,
            "unknown key \"%s\" in [" TITLE_SHOWN "]; the commented example stint.conf lists all",
            key, s->ini->title);
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
    case SECTION_COUNT:
        break;
    }
    return NULL;
}

static void keep_discover_option(struct job_spec *job, const char *key, const char *value)
{
    size_t n = job->discover_options_len;
    job->discover_options =
        xrealloc(job->discover_options, (n + 1) * sizeof(struct discover_option));
    job->discover_options[n] = (struct discover_option){
        .key = xstrdup(strchr(key, '.') + 1),
        .value = xstrdup(value),
    };
    job->discover_options_len = n + 1;
}

static void apply_pair(const struct section_list *list, const struct section *s,
    const struct target *target, const struct option *o, const struct ini_pair *pair)
{
    struct err err;
    enum rc rc;
    void *base = target_base(target, o->section);
    assert(base);
    if (o->strategy) {
        rc = value_check(o, pair->value, &err);
        if (rc == RC_OK)
            keep_discover_option(target->job, o->name, pair->value);
    } else {
        rc = value_set(o, pair->value, list->config, base, &err);
    }
    if (rc == RC_OK)
        return;
    struct place at = pair_place(s, pair);
    problem_add(list->problems, &at, "%s: %s", pair->key, err.text);
}

void section_apply(const struct section_list *list, const struct section *section,
    const struct target *target, struct given *ret_given)
{
    *ret_given = (struct given){.section = section};
    assert(options_len <= OPTIONS_MAX);
    for (size_t i = 0; i < section->ini->pairs_len; i++) {
        const struct ini_pair *pair = &section->ini->pairs[i];
        struct place at = pair_place(section, pair);
        const struct option *o = option_in(section->kind, pair->key);
        if (!o) {
            unknown_key(list, section, &at, pair->key);
            continue;
        }
        size_t *seen = &ret_given->pair[o - options];
        if (*seen > 0) {
            problem_add(list->problems, &at,
                "the key \"%s\" is there twice in [" TITLE_SHOWN "]; the first is in line %zu",
                pair->key, section->ini->title, section->ini->pairs[*seen - 1].line);
            continue;
        }
        *seen = i + 1;
        apply_pair(list, section, target, o, pair);
    }
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
