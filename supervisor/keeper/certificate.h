/* certificate: what the supervisor knows of a death, as JSON for the event worker.died and as one
 * short text for attempt.interrupted. Used by answer.c. Pure. */
#ifndef STINT_KEEPER_CERTIFICATE_H
#define STINT_KEEPER_CERTIFICATE_H

#include "common/base/buf.h"
#include "common/ipc/orders.h"

void certificate_write(const struct death_certificate *death, int64_t life, struct buf *out);
/* "worker killed by signal 9 (SIGKILL)", "worker exited with 1", "worker hung: no heartbeat for
 * 10 s" */
void certificate_cause(const struct death_certificate *death, struct buf *out);

#endif
