/* certificate: the death certificate of a handler: how its process ended, what its tree used, and
 * whether the kernel killed it for want of memory, as a JSON object for the attempt's event. Used
 * by handler_exec.c and resident.c. Pure. */
#ifndef STINT_WORKER_CERTIFICATE_H
#define STINT_WORKER_CERTIFICATE_H

#include "worker/attempt.h"

void certificate_write(const struct attempt *a, struct buf *out);

#endif
