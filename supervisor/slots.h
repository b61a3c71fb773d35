/* slots: the supervisor's own record of each child, keeper or worker, and the one state machine
 * that moves it. Pure but for one log line a step: the action that a step asks for is carried out
 * by pool.c. Called in stintd only. Nothing in here lies in shared memory.
 *
 *   empty ── spawned ──► starting ── ready ──► ready ── goodbye ──► leaving
 *     │ ▲                  any of these three: condemned ──► doomed (SIGKILL sent, end awaited)
 *     │ │                  any of these four:  ended ──► sweeping (its handlers are killed)
 *     │ └─ settled ── settling ◄── tree_gone ── sweeping
 *     └─ spawn_failed, throttle ──► throttled ── pause_over ──► empty */
#ifndef STINT_SUPERVISOR_SLOTS_H
#define STINT_SUPERVISOR_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/ipc/heartbeat.h"
#include "common/ipc/orders.h"

#define CHILD_STATES(X)                                                                            \
    X(EMPTY, empty)                                                                                \
    X(THROTTLED, throttled)                                                                        \
    X(STARTING, starting)                                                                          \
    X(READY, ready)                                                                                \
    X(LEAVING, leaving)                                                                            \
    X(DOOMED, doomed)                                                                              \
    X(SWEEPING, sweeping)                                                                          \
    X(SETTLING, settling)

#define CHILD_EVENTS(X)                                                                            \
    X(SPAWNED, spawned)                                                                            \
    X(SPAWN_FAILED, spawn_failed)                                                                  \
    X(READY, ready)                                                                                \
    X(GOODBYE, goodbye)                                                                            \
    X(CONDEMNED, condemned)                                                                        \
    X(ENDED, ended)                                                                                \
    X(TREE_GONE, tree_gone)                                                                        \
    X(SETTLED, settled)                                                                            \
    X(THROTTLE, throttle)                                                                          \
    X(PAUSE_OVER, pause_over)

#define CHILD_ENUM(upper, lower) CHILD_##upper,
enum child_state { CHILD_STATES(CHILD_ENUM) CHILD_STATE_COUNT };
#undef CHILD_ENUM
#define EVENT_ENUM(upper, lower) EVENT_##upper,
enum child_event { CHILD_EVENTS(EVENT_ENUM) EVENT_COUNT };
#undef EVENT_ENUM

/* What the doer of a step must do next. */
enum child_action {
    ACT_NONE,
    ACT_PARDON, /* the life became ready: the slot's throttle is forgotten */
    ACT_KILL,   /* SIGKILL by pidfd */
    ACT_BURY,   /* clear slot.life, write the death certificate; then sweep its handlers */
    ACT_SETTLE, /* order the requeue */
    ACT_CLOSE,  /* log the certificate, free the place */
    ACT_PAUSE,  /* begin the throttle's pause */
    ACT_COUNT,
};

struct child_step {
    enum child_state from;
    enum child_event event;
    enum child_state to;
    enum child_action action;
    const char *why;
};

extern const struct child_step child_steps[];
extern const size_t child_steps_len;
/* Events without a row, by state: bits of events that come late or twice and change nothing. */
extern const uint32_t child_ignores[CHILD_STATE_COUNT];

struct child {
    uint32_t slot; /* SLOT_KEEPER, or the index of the slot in the pool's memory */
    enum child_state state;
    pid_t pid;   /* 0: none. Until it is reaped, no other process can have it */
    int beat_fd; /* read end of the heartbeat pipe; −1: none */
    int wake_fd; /* eventfd of a worker; −1: none */
    int64_t life;

    int64_t spawned_mono_ns, beat_mono_ns, ended_mono_ns;
    int64_t closed_mono_ns; /* end of file on the heartbeat pipe; 0: open */
    int64_t lock_seen_ns;   /* lock_mono_ns at the last look, when it was too old already */
    struct heartbeat beat;  /* the last one; magic 0: none yet */
    uint64_t nonsense_count;
    bool was_ready, is_retiring, said_goodbye;

    /* Of an ended life, until its settlement is confirmed. */
    enum settle_cause cause;
    enum death_verdict verdict;
    struct death_certificate death;
    int64_t reached;       /* of its slot, when it ended: no claim beyond has begun */
    uint32_t order_keeper; /* the keeper that has the order; 0: nobody yet */
    int64_t order_sent_mono_ns;

    int64_t pause_ms;            /* the throttle; 0: none */
    int64_t pause_until_mono_ns; /* 0: not yet begun */
};

void child_init(struct child *c, uint32_t slot);
/* Forgets the life, keeps the slot's throttle. Its descriptors must be closed. */
void child_reset(struct child *c);
bool child_is_alive(const struct child *c); /* there is an unreaped process */
static inline bool child_is_keeper(const struct child *c)
{
    return c->slot == SLOT_KEEPER;
}

/* The row of (from, event), or NULL: ignored. */
const struct child_step *child_find_step(enum child_state from, enum child_event event);
/* The only function that changes c->state. */
MUST_CHECK enum child_action child_step(struct child *c, enum child_event event);
const char *child_state_name(enum child_state state);
const char *child_event_name(enum child_event event);

#endif
