/* lock_wait: waiting for the write lock: the one timed wait of the store, in steps of 0.1 to 20 ms
 * with jitter, telling the process so that its heartbeats flow. Called by the driver. */
#ifndef STINT_STORE_LOCK_WAIT_H
#define STINT_STORE_LOCK_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/store.h"

struct lock_wait {
    struct store_hooks hooks;
    int64_t timeout_ms;
    bool has_precedence;
    int64_t until_mono_ns;
    bool is_waiting, is_locked;
    bool has_tries; /* several statements are one wait */
};

/* One step; count says how many there were. False: the time is over. */
bool lock_wait_step(struct lock_wait *w, int count);
/* Has it, or gave up. */
void lock_wait_over(struct lock_wait *w);
/* RC_BUSY: the time was over; says who holds the lock now. */
enum rc lock_wait_refused(const struct lock_wait *w, const char *database, struct err *err);
void lock_wait_set_locked(struct lock_wait *w, bool is_locked);
/* The pause before try number count + 2. */
void lock_wait_pause(int count, bool has_precedence);

#endif
