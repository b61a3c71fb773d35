/* request: what a handler is given: one JSON object a line (docs/handlers.md). Pure: structs in,
 * text out. Used by workers and `stint try`.
 */
#ifndef STINT_PROTOCOL_REQUEST_H
#define STINT_PROTOCOL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* What one item of a request is about. All texts are borrowed; JSON members are valid JSON text. */
struct request_item {
    const char *key;
    const char *data;
    int64_t attempt, max_attempts;
    const char *checkpoint; /* NULL: none */
    const char *inputs;     /* object; NULL: {} */
    const char *waited;     /* array; NULL: [] */
    const char *claim;      /* LIFE-SEQ */
};

struct request {
    int64_t id; /* answers bear it */
    const char *job, *stage;
    const char *version; /* of the handler; "": none */
    int64_t deadline_ms; /* from now on */
};

/* {"type":"run",…} with the members of the one item, and a newline. */
void request_write_run(const struct request *r, const struct request_item *item, struct buf *out);
/* {"type":"run",…,"items":[{…},…]} for a stage with batch. */
void request_write_batch(
    const struct request *r, const struct request_item *items, size_t len, struct buf *out);
/* {"type":"cancel","id":…}: give this one up. */
void request_write_cancel(int64_t id, struct buf *out);

#endif
