#include "common/config/sections.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

static const char *text_or_none(const char *text)
{
    return text ? text : "";
}

static bool is_same(const struct section *a, const struct section *b)
{
    return a->kind == b->kind && strcmp(text_or_none(a->name), text_or_none(b->name)) == 0 &&
           strcmp(text_or_none(a->stage), text_or_none(b->stage)) == 0;
}

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return (hash ^ '.') * UINT64_C(1099511628211);
}

/* Where the section is or would be in the index. */
static size_t *index_slot(const struct section_list *list, const struct section *s)
{
    uint64_t hash = UINT64_C(14695981039346656037) + s->kind;
    hash = hash_text(hash_text(hash, text_or_none(s->name)), text_or_none(s->stage));
    size_t i = (size_t)hash & (list->index_cap - 1);
    while (list->index[i] && !is_same(&list->list[list->index[i] - 1], s))
        i = (i + 1) & (list->index_cap - 1);
    return &list->index[i];
}

/* At most half full, so that a search ends soon. */
static void index_grow(struct section_list *list, size_t sections)
{
    size_t cap = list->index_cap ? list->index_cap : 64;
    while (cap < 2 * sections)
        cap *= 2;
    if (cap == list->index_cap)
        return;
    free(list->index);
    list->index = xcalloc(cap, sizeof(*list->index));
    list->index_cap = cap;
    for (size_t i = 0; i < list->len; i++) {
        if (!list->list[i].is_environment)
            *index_slot(list, &list->list[i]) = i + 1;
    }
}

static void unknown_section(
    const struct section_list *list, const struct section *s, const char *word)
{
    const char *words[SECTION_COUNT];
    for (size_t i = 0; i < SECTION_COUNT; i++)
        words[i] = option_section_name((enum option_section)i);
    const char *near =
        problems_are_full(list->problems) ? NULL : text_nearest(word, words, SECTION_COUNT);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        if (near != words[i])
            continue;
        problem_add(list->problems, &s->at, "unknown section [" TITLE_SHOWN "]; did you mean %s?",
            s->ini->title, option_section_form((enum option_section)i));
        return;
    }
    problem_add(list->problems, &s->at,
        "unknown section [" TITLE_SHOWN "]; expected [pool], [resource NAME], [job NAME], "
        "[stage JOB.NAME] or [template NAME]",
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

static bool read_pool_title(
    const struct section_list *list, const struct section *s, const char *rest)
{
    if (*rest)
        problem_add(list->problems, &s->at,
            "[" TITLE_SHOWN "] has a name, but there is only one pool; expected [pool]",
            s->ini->title);
    return !*rest;
}

static bool read_title(const struct section_list *list, struct section *s)
{
    const char *title = s->ini->title;
    size_t len = strcspn(title, " \t");
    const char *rest = title + len + strspn(title + len, " \t");
    CLEANUP_FREE char *word = xstrndup(title, len);
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        s->kind = (enum option_section)i;
        if (strcmp(word, option_section_name(s->kind)) != 0)
            continue;
        if (s->kind == SECTION_POOL)
            return read_pool_title(list, s, rest);
        if (s->kind == SECTION_STAGE)
            return read_stage_title(list, s, rest);
        s->name = xstrdup(rest);
        return check_name(list, s, s->name);
    }
    unknown_section(list, s, word);
    return false;
}

/* Puts it into the index. What comes from the environment stands beside the files' [pool]. */
static bool take_section(struct section_list *list, const struct section *s)
{
    if (s->is_environment)
        return true;
    size_t *slot = index_slot(list, s);
    if (*slot == 0) {
        *slot = list->len + 1;
        return true;
    }
    const struct section *first = &list->list[*slot - 1];
    problem_add(list->problems, &s->at,
        "the section [" TITLE_SHOWN "] is there twice; the first is at %s:%zu", s->ini->title,
        first->at.file, first->at.line);
    return false;
}

static void section_fini(struct section *s)
{
    free(s->name);
    free(s->stage);
}

static void add_twice(struct section_list *to, const struct section *s)
{
    to->twice = xrealloc(to->twice, (to->twice_len + 1) * sizeof(*to->twice));
    to->twice[to->twice_len++] = *s;
}

void sections_add(struct section_list *to, const struct ini_document *document, const char *file,
    bool is_environment)
{
    to->list = xrealloc(to->list, (to->len + document->len) * sizeof(*to->list));
    index_grow(to, to->len + document->len);
    for (size_t i = 0; i < document->len; i++) {
        const struct ini_section *ini = &document->sections[i];
        struct section s = {.ini = ini, .is_environment = is_environment};
        s.at = (struct place){.file = file, .line = ini->line};
        if (!read_title(to, &s))
            section_fini(&s);
        else if (take_section(to, &s))
            to->list[to->len++] = s;
        else
            add_twice(to, &s);
    }
}

void sections_fini(struct section_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        section_fini(&list->list[i]);
    for (size_t i = 0; i < list->twice_len; i++)
        section_fini(&list->twice[i]);
    free(list->list);
    free(list->twice);
    free(list->index);
    *list = (struct section_list){.list = NULL};
}

const struct section *section_find(
    const struct section_list *list, enum option_section kind, const char *name, const char *stage)
{
    /* Only to compare; nothing is written through it. */
    union {
        const char *seen;
        char *held;
    } wanted_name = {.seen = name}, wanted_stage = {.seen = stage};
    const struct section wanted = {
        .kind = kind, .name = wanted_name.held, .stage = wanted_stage.held};
    if (list->index_cap == 0)
        return NULL;
    size_t place = *index_slot(list, &wanted);
    return place ? &list->list[place - 1] : NULL;
}

struct place section_pair_place(const struct section *section, const struct ini_pair *pair)
{
    struct place at = section->at;
    at.line = pair->line;
    at.variable = section->is_environment ? pair->key : NULL;
    return at;
}
