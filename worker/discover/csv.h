/* csv: one record of comma or tab separated text: is it complete, and what are its fields. Quotes
 * as in RFC 4180 (a quoted field may hold separators, doubled quotes and line ends); tab separated
 * text knows no quotes. Pure. In stint-discover only. */
#ifndef STINT_DISCOVER_CSV_H
#define STINT_DISCOVER_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

struct csv_row {
    char **fields; /* point into the split text */
    size_t len, cap;
};

void csv_fini(struct csv_row *row);
/* Is a quoted field still open after this line? was_open: it was before. */
bool csv_is_open(const char *line, size_t len, bool was_open);
/* Splits in place. sep ',' honours quotes. RC_INVALID: text behind a closing quote. */
MUST_CHECK enum rc csv_split(char *text, char sep, struct csv_row *row, struct err *err);

#endif
