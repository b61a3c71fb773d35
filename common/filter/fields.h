/* fields: what may be said of each field of a filter: its type, its operators, an example for
 * errors. One row a field; used inside common/filter, and by help. Pure tables. */
#ifndef STINT_FILTER_FIELDS_H
#define STINT_FILTER_FIELDS_H

#include "common/filter/filter.h"

enum filter_type {
    FILTER_TYPE_NAME,
    FILTER_TYPE_TEXT,
    FILTER_TYPE_WORD,
    FILTER_TYPE_NUMBER,
    FILTER_TYPE_AGE,
};

struct filter_about {
    enum filter_field field;
    const char *name;
    enum filter_type type;
    unsigned ops;             /* bits 1 << enum filter_op */
    const char *takes;        /* the operators, for people */
    const char *example;      /* a whole word */
    const char *what;         /* FILTER_TYPE_WORD: what its words are */
    const char *const *words; /* FILTER_TYPE_WORD: NULL-terminated, in the order of the enum */
};

/* By name; NULL: no such field. */
const struct filter_about *filter_about(const char *name, size_t len);
const struct filter_about *filter_about_field(enum filter_field field);

#endif
