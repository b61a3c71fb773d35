/* list: the strategy `discover = list FILE`: CSV and TSV with a header line, JSON lines, or text
 * with one key a line. discover.format overrides the file's ending; discover.key names the column
 * or member (default: key; without it the list is refused). The other columns or members are the
 * data. */
#ifndef STINT_DISCOVER_LIST_H
#define STINT_DISCOVER_LIST_H

#include "worker/discover/listing.h"

MUST_CHECK enum rc list_strategy(const struct listing *l, struct err *err);

#endif
