/* doubt: what is wrong with a message although its grammar is good: a type that nobody knows, an id
 * that was not asked or is answered. A pool passes it over; `stint try` (the worker's trial) and
 * `stint handler-check` say it, in the same words. Pure; never decides what a message does.
 */
#ifndef STINT_PROTOCOL_DOUBT_H
#define STINT_PROTOCOL_DOUBT_H

#include "common/protocol/message.h"

/* Both add a text to out, or nothing and return false. */

/* m: read from line, as MESSAGE_UNKNOWN. *ret_column: where its type stands, from 1. */
bool doubt_type(const struct message *m, const char *line, size_t *ret_column, struct buf *out);
/* m: said by a resident that was asked 1 to last_id; is_open: m->id has no outcome yet. */
bool doubt_id(const struct message *m, int64_t last_id, bool is_open, struct buf *out);

#endif
