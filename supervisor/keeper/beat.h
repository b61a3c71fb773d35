/* beat: the keeper's heartbeats, while it waits for the database too. Used by every file of the
 * keeper; the only writer of its heartbeat pipe. */
#ifndef STINT_KEEPER_BEAT_H
#define STINT_KEEPER_BEAT_H

#include <stdint.h>

#include "common/ipc/heartbeat.h"
#include "common/ipc/pool_mem.h"
#include "common/store/store.h"

struct beat {
    struct heartbeat record; /* as sent last */
    struct pool_mem *mem;
    int64_t interval_ns;
    int64_t due_mono_ns;
};

void beat_init(struct beat *b, struct pool_mem *mem, int64_t interval_ms); /* sends the first */
void beat_hook(struct beat *b, struct store_hooks *ret);
void beat_send(struct beat *b);
void beat_tick(struct beat *b); /* sends if one is due */
/* Work became claimable: wakes up to n workers. */
void beat_wake(struct beat *b, int64_t n);
void beat_ready(struct beat *b);
/* Not ready yet, and still waiting for the database's write lock: between two tries. */
void beat_held_up(struct beat *b);
void beat_goodbye(struct beat *b);
int64_t beat_due_ms(const struct beat *b); /* from now */

#endif
