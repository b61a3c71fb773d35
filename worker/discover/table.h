/* table: lists a CSV or TSV file: the first line names the columns, one of them is the key, the
 * others are the data, every value a string. A record that does not fit is refused, with its line.
 * In stint-discover only. */
#ifndef STINT_DISCOVER_TABLE_H
#define STINT_DISCOVER_TABLE_H

#include "worker/discover/listfile.h"

/* sep: ',' or '\t'. RC_DONE at the end of the file, or what collect_item said. */
MUST_CHECK enum rc table_read(struct listfile *f, char sep, struct err *err);

#endif
