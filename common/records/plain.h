/* plain: the quick way through a line of JSON that has nothing unusual in it: one pass that proves
 * it valid and finds the members of its object. Used by jsonl.c, which takes every other line, the
 * bad ones too, the slow way. Pure. */
#ifndef STINT_RECORDS_PLAIN_H
#define STINT_RECORDS_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#define PLAIN_MEMBERS_MAX 24

struct plain_part {
    const char *at; /* within the line */
    size_t len;
};

struct plain_object {
    struct {
        struct plain_part name, value; /* the name without its quotes */
    } members[PLAIN_MEMBERS_MAX];
    size_t len;
};

/* line: UTF-8, NUL-terminated at len. True: it is a valid object, no name in it stands twice in one
 * object, no name has a backslash. False says nothing about it: it may be valid JSON all the same.
 */
bool plain_parse(const char *line, size_t len, struct plain_object *ret);
/* The value of this name, or NULL. */
const struct plain_part *plain_find(const struct plain_object *object, const char *name);

#endif
