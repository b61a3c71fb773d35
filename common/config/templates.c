#include "common/config/templates.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/apply.h"
#include "common/config/jobs.h"

/* NULL: it uses none. */
static const struct ini_pair *find_use(const struct section *section)
{
    for (size_t i = 0; i < section->ini->pairs_len; i++) {
        if (strcmp(section->ini->pairs[i].key, "use") == 0)
            return &section->ini->pairs[i];
    }
    return NULL;
}

static bool may_use(const struct section *section)
{
    return option_in(section->kind, "use") != NULL;
}

static const struct section *template_of(
    const struct section_list *list, const struct section *section)
{
    const struct ini_pair *use = may_use(section) ? find_use(section) : NULL;
    return use ? section_find(list, SECTION_TEMPLATE, use->value, NULL) : NULL;
}

size_t template_chain(const struct section_list *list, const struct section *section,
    const struct section *ret[TEMPLATES_DEEP_MAX])
{
    size_t n = 0;
    const struct section *next = template_of(list, section);
    for (; next && n < TEMPLATES_DEEP_MAX; next = template_of(list, next)) {
        for (size_t i = 0; i < n; i++) {
            if (ret[i] == next)
                return n;
        }
        ret[n++] = next;
    }
    return n;
}

enum rc template_check_use(const struct section_list *list, const char *name, struct err *err)
{
    if (section_find(list, SECTION_TEMPLATE, name, NULL))
        return RC_OK;
    const size_t len = problems_are_full(list->problems) ? 0 : list->len;
    CLEANUP_FREE const char **names = xcalloc(len + 1, sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (list->list[i].kind == SECTION_TEMPLATE)
            names[n++] = list->list[i].name;
    }
    if (!*name)
        return err_set(err, RC_INVALID, "has no value; expected the name of a [template] section");
    const char *near = text_nearest(name, names, n);
    if (near)
        return err_set(
            err, RC_INVALID, "there is no template \"%.64s\"; did you mean \"%s\"?", name, near);
    return err_set(err, RC_INVALID,
        "there is no template \"%.64s\"; add a section [template %.64s]", name, name);
}

struct place template_use_place(const struct section *section)
{
    const struct ini_pair *use = find_use(section);
    return use ? section_pair_place(section, use) : section->at;
}

/* Told at the first template of the circle, once. */
static void check_circle(const struct section_list *list, const struct section *section)
{
    CLEANUP(buf_fini) struct buf path = BUF_INIT;
    const struct section *next = section;
    size_t steps = 0;
    do {
        buf_addf(&path, "%s%s", steps ? " → " : "", next->name);
        next = template_of(list, next);
        if (next && next < section)
            return; /* that one tells it, if it is a circle at all */
    } while (next && next != section && ++steps <= TEMPLATES_DEEP_MAX);
    struct place at = template_use_place(section);
    if (next == section)
        problem_add(list->problems, &at, "use: templates go round in a circle: %s → %s",
            buf_str(&path), section->name);
}

static void check_depth(const struct section_list *list, const struct section *section)
{
    const struct section *chain[TEMPLATES_DEEP_MAX];
    struct place at = template_use_place(section);
    if (template_chain(list, section, chain) == TEMPLATES_DEEP_MAX)
        problem_add(list->problems, &at, "use: templates use each other more than %d deep",
            TEMPLATES_DEEP_MAX - 1);
}

void templates_check(const struct section_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct section *section = &list->list[i];
        if (section->kind != SECTION_TEMPLATE)
            continue;
        struct job_spec job = {.name = NULL};
        struct stage_spec stage = {.name = NULL};
        struct target target = {.job = &job, .stage = &stage};
        struct given given = {.section = NULL};
        section_apply_own(list, section, &target, &given);
        check_circle(list, section);
        check_depth(list, section);
        job_spec_fini(&job);
        stage_spec_fini(&stage);
    }
}
