/* buckets: which buckets the pool's memory has: one a resource of the accepted configuration, by
 * name. Called at the start and with every reload, in stintd, the only process that opens, tunes
 * and closes buckets. Takes no tokens. */
#ifndef STINT_SUPERVISOR_BUCKETS_H
#define STINT_SUPERVISOR_BUCKETS_H

#include "common/config/config.h"
#include "common/ipc/pool_mem.h"

/* From here on the buckets are what the configuration says. Whose name stays keeps its tokens (no
 * more than the burst); a new one is empty; who sleeps at one that is changed or gone looks again.
 * A place may go to another bucket at once: whoever knows the old one gets nothing by it. */
void buckets_apply(struct pool_mem *mem, const struct config *config);
/* A worker has died: whoever sleeps where it slept has counted on it. */
void buckets_forget_sleeper(struct pool_mem *mem, struct slot *slot);

#endif
