/* filter: the language in which people say which stage runs they mean, as in
 * `job:news stage:fetch status:failed,exhausted error:timeout -key~example.com attempts>=3 age>1h`:
 * words divided by blanks that must all hold. One parser for command, dashboard and API; pure,
 * knows no store. What a row must be to match stands in match.h.
 *
 *   word     = ["-"] field operator value {"," value}  |  ["-"] key
 *   operator = ":" "=" "!=" ">" ">=" "<" "<=" "~"
 *   value    = characters without blank and comma; within "…" both may stand, and \" and \\
 *
 * A word without an operator is an item's key, exactly; so is a word like https://… */
#ifndef STINT_FILTER_FILTER_H
#define STINT_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/statuses.h"

enum filter_field {
    FILTER_JOB,
    FILTER_STAGE,
    FILTER_KEY,
    FILTER_STATUS, /* of the stage run */
    FILTER_ITEM,   /* the status derived for its item */
    FILTER_ERROR,
    FILTER_SOURCE,
    FILTER_ATTEMPTS,
    FILTER_INTERRUPTIONS,
    FILTER_PRIORITY,
    FILTER_AGE,     /* since the item was added */
    FILTER_CHANGED, /* since the stage run last changed */
    FILTER_FIELDS,
};

enum filter_op {
    FILTER_IS,
    FILTER_IS_NOT,
    FILTER_MORE,
    FILTER_AT_LEAST,
    FILTER_LESS,
    FILTER_AT_MOST,
    FILTER_CONTAINS, /* A to Z and a to z alike */
    FILTER_OPS,
};

struct filter_value {
    char *text;     /* owned */
    int64_t number; /* of numbers; of ages in ms; of words the enum of statuses.h */
};

struct filter_term {
    enum filter_field field;
    enum filter_op op;
    bool is_negated;
    struct filter_value *values; /* one of them must hold */
    size_t values_len;
    size_t at, len; /* the word in the text */
};

struct filter {
    struct filter_term *terms; /* all must hold; none: everything matches */
    size_t len;
};
#define FILTER_INIT                                                                                \
    {                                                                                              \
        NULL, 0                                                                                    \
    }

/* What is wrong, and where in the text (bytes). */
struct filter_fault {
    struct err what;
    size_t at, len;
};

#define FILTER_TERMS_MAX 64
#define FILTER_VALUES_MAX 256

/* RC_INVALID, RC_LIMIT: fault says what and where. Finish *ret by filter_fini. */
MUST_CHECK enum rc filter_parse(const char *text, struct filter *ret, struct filter_fault *fault);
void filter_fini(struct filter *filter);

/* Does this text begin with a negated field and an operator, as in -status:done? */
bool filter_is_negated(const char *text);

const char *filter_field_name(enum filter_field field);
/* True if it has a word about this field. */
bool filter_has(const struct filter *filter, enum filter_field field);
/* The word that says exactly what this field is (not negated, one value); or NULL. */
const struct filter_term *filter_exactly(const struct filter *filter, enum filter_field field);

/* The text again without the words about these fields (bits 1 << field), blanks as they come. */
void filter_without(
    const struct filter *filter, const char *text, uint32_t fields, struct buf *out);

#endif
