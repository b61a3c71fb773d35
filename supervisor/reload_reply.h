/* reload_reply: what the control socket says of reloads: in `status`, and as the answer of
 * `reload`. Used by reply.c, in stintd only. */
#ifndef STINT_SUPERVISOR_RELOAD_REPLY_H
#define STINT_SUPERVISOR_RELOAD_REPLY_H

#include "supervisor/reply.h"

/* The member "reload" of `status`: of the newest reload, if there was one. */
void reload_add_state(const struct pool *pool, struct reply *reply);
/* The whole answer of one that is over. */
void reload_add_outcome(const struct pool *pool, struct reply *reply);

#endif
