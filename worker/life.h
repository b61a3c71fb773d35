/* life: this process as the pool sees it: its slot's words in shared memory, its heartbeats, its
 * claim numbers, and whether the supervisor is still there. Used by every file of the worker; the
 * only writer of the slot and of the heartbeat pipe. Never touches the database, nor a handler
 * before its own end. */
#ifndef STINT_WORKER_LIFE_H
#define STINT_WORKER_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/sys.h"
#include "common/ipc/heartbeat.h"
#include "common/ipc/pool_mem.h"
#include "common/store/store.h"

struct life {
    struct pool_mem *mem;
    struct slot *slot;
    int64_t number;
    int64_t interval_ns;
    int64_t beat_due_mono_ns;
    pid_t parent;
    uint32_t claim_seq; /* used last */
    enum worker_state state;
    enum worker_state state_before_wait;
    int64_t claim, deadline_mono_ns;
    bool is_ready;
    uint64_t spec_generation; /* of the JobSpec that this life claims by */
    bool is_outdated;         /* another was accepted: leaves when empty */
    struct heartbeat sent;    /* as sent last */
};

/* slot_no is within the pool's memory. Sends the first beat. */
void life_init(
    struct life *l, struct pool_mem *mem, uint32_t slot_no, int64_t number, int64_t interval_ms);
/* Beats flow and the slot's words are true while the store waits for its lock. */
void life_hook(struct life *l, struct store_hooks *ret);

/* A change of state: the slot's words, and a beat if the supervisor knows otherwise. */
void life_enter(struct life *l, enum worker_state state, int64_t claim, int64_t deadline_mono_ns);
/* As life_enter without a beat, for what is over sooner than anybody could look. */
void life_mark(struct life *l, enum worker_state state, int64_t claim);
/* Something runs that has this deadline (0: none). Beats only if what was said last could make the
 * supervisor impatient: whoever runs many short things must not tell of each. */
void life_run(struct life *l, int64_t claim, int64_t deadline_mono_ns);
void life_ready(struct life *l); /* the first look for work is done */
void life_beat(struct life *l);
/* Beats if one is due; leaves the process if the supervisor is gone. */
void life_tick(struct life *l);
void life_goodbye(struct life *l); /* the last record */

/* One futex wait, at most until the next beat or until_mono_ns, ended by a change of the pool's
 * wake word since `seen` was read; then life_tick. */
void life_sleep(struct life *l, uint32_t seen, int64_t until_mono_ns);
/* The same on several words: the first is the pool's wake word. */
void life_sleep_on(
    struct life *l, const struct sys_futex *words, size_t len, int64_t until_mono_ns);
/* Sleeps the whole time, beating; wakes of the pool do not end it. */
void life_wait(struct life *l, int64_t ns);

/* The next claim numbers, which follow each other: as many as wanted, fewer when the life has used
 * nearly all of them, 0: all. */
size_t life_take_claims(struct life *l, size_t wanted, int64_t *ret_first);
/* Of those taken last only so many were used, and nobody can have heard of the others. */
void life_return_claims(struct life *l, int64_t first, size_t used);
/* What is in hand: so many runs, the claims up to `begun` at work; whether more could be taken
 * while they go on, for which it must be kicked. */
void life_hold(struct life *l, size_t runs, int64_t begun);
/* Before a run begins: whoever dies from here on may have done something for this claim. */
void life_reach(struct life *l, int64_t claim);
void life_set_room(struct life *l, bool has_room);
/* The number of this life given out last. */
int64_t life_last_claim(const struct life *l);
/* n runs are claimable for others: wakes those that sleep, has those kicked that have room while
 * they run something. */
void life_wake_others(struct life *l, int64_t n);
/* The supervisor is gone: ends every handler and this process. */
_Noreturn void life_orphaned(void);
/* The pool's database still goes by the JobSpec of this life: else nothing may be claimed. */
bool life_is_current(const struct life *l);
/* The pool stops, or this slot was told to retire. */
bool life_is_told_to_leave(const struct life *l);
/* The same, or this life's JobSpec is outdated, or its claim numbers are used up. */
bool life_is_leaving(const struct life *l);
bool life_is_stopped_now(const struct life *l);
bool life_may_claim(const struct life *l);
/* Between two runs: there is an order, or claims were taken away. */
bool life_is_called(void);

#endif
