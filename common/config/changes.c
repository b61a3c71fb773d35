#include "common/config/changes.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/config/settings.h"

struct item {
    char *section, *owner, *key, *value; /* owned; key "" for the section itself */
    const struct env_var *secret;        /* borrowed of the configuration; NULL: none */
    enum option_class class;
    bool is_for_next;
};

struct items {
    struct item *list; /* in the order of the configuration */
    size_t len, cap;
    struct item **sorted; /* by section, then key */
};

static char *copy_of(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static enum option_class class_of_section(const char *section)
{
    return strncmp(section, "resource ", strlen("resource ")) == 0 ? CLASS_TUNING : CLASS_SPEC;
}

static void take(void *ctx, const struct setting *s)
{
    struct items *items = ctx;
    if (items->len == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 64;
        items->list = xrealloc(items->list, items->cap * sizeof(*items->list));
    }
    items->list[items->len++] = (struct item){
        .section = xstrdup(s->section),
        .owner = copy_of(s->owner),
        .key = xstrdup(s->key ? s->key : ""),
        .value = copy_of(s->value),
        .secret = s->secret,
        .class = s->key ? s->option->class : class_of_section(s->section),
        .is_for_next = s->key && s->option->is_for_next,
    };
}

static int by_place(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    int order = strcmp(x->section, y->section);
    return order ? order : strcmp(x->key, y->key);
}

static void items_init(struct items *items, const struct config *config)
{
    *items = (struct items){.list = NULL};
    config_settings(config, take, items);
    items->sorted = xcalloc(items->len, sizeof(*items->sorted));
    for (size_t i = 0; i < items->len; i++)
        items->sorted[i] = &items->list[i];
    qsort(items->sorted, items->len, sizeof(*items->sorted), by_place);
}

static void items_fini(struct items *items)
{
    for (size_t i = 0; i < items->len; i++) {
        free(items->list[i].section);
        free(items->list[i].owner);
        free(items->list[i].key);
        free(items->list[i].value);
    }
    free(items->list);
    free(items->sorted);
}

static const struct item *find(const struct items *in, char *section, char *key)
{
    struct item wanted = {.section = section, .key = key};
    struct item *place = &wanted;
    struct item **found = bsearch(&place, in->sorted, in->len, sizeof(*in->sorted), by_place);
    return found ? *found : NULL;
}

struct comparison {
    change_fn fn;
    void *ctx;
    struct changes_summary summary;
};

/* Higher is stronger. */
static int strength(enum option_class class)
{
    switch (class) {
    case CLASS_RESTART:
        return 3;
    case CLASS_SPEC:
        return 2;
    case CLASS_POOL:
        return 1;
    case CLASS_TUNING:
        break;
    }
    return 0;
}

static void tell(
    struct comparison *c, const struct item *at, const char *old_text, const char *new_text)
{
    const struct change change = {
        .section = at->section,
        .key = *at->key ? at->key : NULL,
        .old_text = old_text,
        .new_text = new_text,
        .class = at->class,
        .is_for_next = at->is_for_next,
    };
    struct changes_summary *s = &c->summary;
    s->count++;
    s->has_restart |= at->class == CLASS_RESTART;
    s->has_spec |= at->class == CLASS_SPEC;
    s->has_pool |= at->class == CLASS_POOL;
    s->has_tuning |= at->class == CLASS_TUNING;
    if (strength(at->class) > strength(s->strongest))
        s->strongest = at->class;
    if (c->fn)
        c->fn(c->ctx, &change);
}

/* Is it only part of something bigger that the other has not got either? */
static bool is_told_by_its_section(const struct item *item, const struct items *other)
{
    char whole[] = "";
    if (item->owner && !find(other, item->owner, whole))
        return true;
    return *item->key && !find(other, item->section, whole);
}

static const char *text_of(const struct item *item)
{
    return item->value ? item->value : "";
}

/* The same words, but other content. What is not known here is taken for the same. */
static bool is_other_secret(const struct item *was, const struct item *is)
{
    if (!was->secret || !is->secret || was->secret->is_unknown || is->secret->is_unknown)
        return false;
    return strcmp(was->secret->entry, is->secret->entry) != 0;
}

static void compare(struct comparison *c, const struct item *was, const struct item *is)
{
    const char *old_text = text_of(was), *new_text = text_of(is);
    if (strcmp(old_text, new_text) != 0) {
        tell(c, was, old_text, new_text);
    } else if (is_other_secret(was, is)) {
        CLEANUP_FREE char *shown = xasprintf("%s (changed)", new_text);
        tell(c, was, old_text, shown);
    }
}

struct changes_summary config_changes(
    const struct config *old, const struct config *new, change_fn fn, void *ctx)
{
    struct comparison c = {.fn = fn, .ctx = ctx, .summary = {.strongest = CLASS_TUNING}};
    CLEANUP(items_fini) struct items before, after;
    items_init(&before, old);
    items_init(&after, new);
    for (size_t i = 0; i < before.len; i++) {
        const struct item *was = &before.list[i], *is = find(&after, was->section, was->key);
        if (is)
            compare(&c, was, is);
        else if (!is_told_by_its_section(was, &after))
            tell(&c, was, text_of(was), NULL);
    }
    for (size_t i = 0; i < after.len; i++) {
        const struct item *is = &after.list[i];
        if (!find(&before, is->section, is->key) && !is_told_by_its_section(is, &before))
            tell(&c, is, NULL, text_of(is));
    }
    return c.summary;
}
