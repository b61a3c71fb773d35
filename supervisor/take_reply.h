/* take_reply: the answer to "take JOB.STAGE": a token of each of the stage's resources, for work
 * that is done outside the pool's workers (stint try). Called by reply.c, in stintd only. Never
 * waits: who gets none is told when to ask again. */
#ifndef STINT_SUPERVISOR_TAKE_REPLY_H
#define STINT_SUPERVISOR_TAKE_REPLY_H

#include "supervisor/reply.h"

void take_answer(struct pool *pool, const char *name, struct reply *reply);

#endif
