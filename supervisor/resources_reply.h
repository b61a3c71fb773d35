/* resources_reply: what the control socket says of the buckets: the answer of `resources`, a line a
 * resource. Used by reply.c, in stintd only; takes no tokens. */
#ifndef STINT_SUPERVISOR_RESOURCES_REPLY_H
#define STINT_SUPERVISOR_RESOURCES_REPLY_H

#include "supervisor/reply.h"

/* The next piece of the answer, from reply->cursor on. */
void resources_add_next(struct pool *pool, struct reply *reply);

#endif
