/* limited: a handler has met the limit of a resource (429, Retry-After): the resource's bucket is
 * held for everybody at once, and the hold is written, so that it outlives the pool. Called by
 * notes.c. */
#ifndef STINT_WORKER_LIMITED_H
#define STINT_WORKER_LIMITED_H

#include "worker/attempt.h"

struct worker;

/* m: a limit, with after_ms. A resource that is not configured is refused (heard.broken). */
void limited_hold(struct worker *w, struct attempt *a, const struct message *m);

#endif
