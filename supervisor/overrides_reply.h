/* overrides_reply: what the control socket says of keys of [pool] that the command line or the
 * environment of this pool decides, whatever the files say. In `status` and in the answer of
 * `reload`. Used by reply.c and reload_reply.c, in stintd only; decides nothing. */
#ifndef STINT_SUPERVISOR_OVERRIDES_REPLY_H
#define STINT_SUPERVISOR_OVERRIDES_REPLY_H

#include "supervisor/reply.h"

/* The member "overrides": [{"key":"workers","by":"--workers 4"}, …]; nothing when there is none. */
void overrides_add(const struct pool *pool, struct reply *reply);

#endif
