/* csv: one record of comma or tab separated text, put together line by line. Quotes as in RFC 4180
 * (a quoted cell may hold separators, doubled quotes and line ends); tab separated text knows no
 * quotes. Used by records.c. Pure: what the cells mean is the caller's business. */
#ifndef STINT_RECORDS_CSV_H
#define STINT_RECORDS_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum csv_state { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED };

struct csv {
    char separator;  /* ',' honours quotes; '\t' */
    struct buf text; /* the cells behind each other, each ended by NUL */
    size_t *starts;  /* where in text */
    size_t len, cap; /* cells; 0: no line has been added */
    enum csv_state state;
    int64_t quote_line; /* of the newest opening quote */
    size_t bad_cell;    /* the first with text behind its closing quote, from 1; 0: none */
};

void csv_init(struct csv *c, char separator);
void csv_fini(struct csv *c);
void csv_reset(struct csv *c); /* the next line begins a record */

/* number: of this line. A CR at its end is part of the line end. */
void csv_add_line(struct csv *c, const char *line, size_t len, int64_t number);
/* A quote is open: the record goes on in the next line. */
bool csv_is_open(const struct csv *c);
/* Of a whole record. RC_INVALID: text behind a closing quote. */
MUST_CHECK enum rc csv_check(const struct csv *c, struct err *err);
const char *csv_cell(const struct csv *c, size_t i); /* until the next line or reset */

#endif
