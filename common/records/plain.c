#include "common/records/plain.h"

#include <string.h>

#include "common/base/json_scan.h"

#define DEPTH_MAX 8
#define NUMBER_MAX_BYTES 24 /* longer ones may be beyond what a double holds */

static const char *skip_value(const char *p, int depth);

static bool is_same(const struct plain_part *a, const struct plain_part *b)
{
    return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static bool has_name(const struct plain_object *o, const struct plain_part *name)
{
    for (size_t i = 0; i < o->len; i++)
        if (is_same(&o->members[i].name, name))
            return true;
    return false;
}

/* \u may be half a character, or NUL. */
static bool has_code_point(const char *from, const char *to)
{
    for (const char *p = from; (p = memchr(p, '\\', (size_t)(to - p))); p += 2)
        if (p[1] == 'u')
            return true;
    return false;
}

static const char *skip_string(const char *p)
{
    const char *end = json_skip_string(p);
    return end && has_code_point(p, end) ? NULL : end;
}

static const char *skip_number(const char *p)
{
    const char *end = json_skip_number(p);
    if (!end || end - p > NUMBER_MAX_BYTES)
        return NULL;
    size_t len = (size_t)(end - p);
    return memchr(p, 'e', len) || memchr(p, 'E', len) ? NULL : end;
}

/* p behind '['. */
static const char *skip_array(const char *p, int depth)
{
    p = json_skip_blanks(p);
    if (*p == ']')
        return p + 1;
    for (;;) {
        p = skip_value(p, depth);
        p = p ? json_skip_blanks(p) : NULL;
        if (!p || *p == ']')
            return p ? p + 1 : NULL;
        if (*p != ',')
            return NULL;
        p = json_skip_blanks(p + 1);
    }
}

/* A name and its value; returns behind it. */
static const char *read_member(const char *p, int depth, struct plain_object *o)
{
    const char *end = *p == '"' && o->len < PLAIN_MEMBERS_MAX ? json_skip_string(p) : NULL;
    if (!end)
        return NULL;
    struct plain_part name = {p + 1, (size_t)(end - p) - 2};
    p = json_skip_blanks(end);
    if (*p != ':' || memchr(name.at, '\\', name.len) || has_name(o, &name))
        return NULL;
    p = json_skip_blanks(p + 1);
    end = skip_value(p, depth);
    if (end) {
        o->members[o->len].name = name;
        o->members[o->len++].value = (struct plain_part){p, (size_t)(end - p)};
    }
    return end;
}

/* p behind '{'. */
static const char *read_object(const char *p, int depth, struct plain_object *o)
{
    o->len = 0;
    p = json_skip_blanks(p);
    if (*p == '}')
        return p + 1;
    for (;;) {
        p = read_member(p, depth, o);
        p = p ? json_skip_blanks(p) : NULL;
        if (!p || *p == '}')
            return p ? p + 1 : NULL;
        if (*p != ',')
            return NULL;
        p = json_skip_blanks(p + 1);
    }
}

static const char *skip_value(const char *p, int depth)
{
    struct plain_object inner;
    switch (*p) {
    case '"':
        return skip_string(p);
    case '{':
        return depth < DEPTH_MAX ? read_object(p + 1, depth + 1, &inner) : NULL;
    case '[':
        return depth < DEPTH_MAX ? skip_array(p + 1, depth + 1) : NULL;
    case 't':
    case 'f':
    case 'n':
        return json_skip_word(p);
    default: /* a char, not an enum */
        return skip_number(p);
    }
}

bool plain_parse(const char *line, size_t len, struct plain_object *ret)
{
    const char *p = json_skip_blanks(line);
    if (*p != '{')
        return false;
    p = read_object(p + 1, 1, ret);
    return p && json_skip_blanks(p) == line + len;
}

const struct plain_part *plain_find(const struct plain_object *object, const char *name)
{
    const struct plain_part wanted = {name, strlen(name)};
    for (size_t i = 0; i < object->len; i++)
        if (is_same(&object->members[i].name, &wanted))
            return &object->members[i].value;
    return NULL;
}
