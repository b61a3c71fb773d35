/* orders: what supervisor and keeper say to each other: fixed records over a SOCK_SEQPACKET pair.
 * Every order is repeated until it is confirmed (also to a new keeper after the old one died), and
 * a repeat changes nothing. */
#ifndef STINT_IPC_ORDERS_H
#define STINT_IPC_ORDERS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

#define ORDER_MAGIC 0x6f726431u

enum order_kind {
    /* supervisor → keeper */
    ORDER_START = 1, /* pool_row 0: a new pool: migrate, sync the configuration, retire older pools
                      * and requeue their claims, take a block of lives. Else: join that row, settle
                      * nothing. Answer: ORDER_READY */
    ORDER_LIVES,     /* take a further block. Answer: ORDER_LIVES_TAKEN */
    ORDER_SETTLE,    /* a life has ended and its handlers are gone: requeue by `cause`, record its
                      * death certificate. count: no claim beyond it has begun.
                      * Answer: ORDER_SETTLED */
    ORDER_WATCH,     /* tell ORDER_RESTED when everything is at rest (run --drain) */
    ORDER_RELOAD,    /* make the configuration `generation` in the box the database's.
                      * Answer: ORDER_RELOADED, or ORDER_NOT_RELOADED with the reason; both with
                      * that generation */
    ORDER_FINISH,    /* all workers are gone: checkpoint, retire the pools row, leave.
                      * Answer: ORDER_FINISHED, then exit 0 */
    /* keeper → supervisor */
    ORDER_READY = 64,
    ORDER_LIVES_TAKEN,
    ORDER_SETTLED,
    ORDER_RESTED,  /* count: stage runs at rest but not done or skipped */
    ORDER_BACKLOG, /* count: claimable stage runs; at each notable change */
    ORDER_FINISHED,
    ORDER_RELOADED,
    ORDER_NOT_RELOADED,
    ORDER_LOST, /* the database was moved, replaced or is damaged, as logged. count 1: the keeper
                 * goes on, and can end the pool in order; 0: it leaves, nothing may be written */
};

enum settle_cause {
    SETTLE_DIED = 0,    /* interruptions + 1 */
    SETTLE_STOPPED = 1, /* the pool stopped: nothing is counted */
    SETTLE_RETIRED = 2, /* left by itself; a claim that it still holds counts as SETTLE_DIED */
};

enum death_verdict { DEATH_DEAD = 0, DEATH_HUNG = 1, DEATH_RETIRED = 2 };

struct death_certificate {
    int32_t pid;
    int32_t status; /* as wait(2) */
    uint32_t slot;
    uint32_t verdict;       /* enum death_verdict */
    uint32_t is_oom_proven; /* 0/1 */
    uint32_t state;         /* last announced enum worker_state */
    int64_t user_us, system_us, max_rss_kib;
    int64_t last_beat_age_ms, lived_ms;
    char reason[96]; /* "no heartbeat for 10 s"; NUL-terminated */
};

struct order {
    uint32_t magic;
    uint32_t kind; /* enum order_kind */
    int64_t life;
    int64_t pool_row;
    int64_t first_life, last_life;
    int64_t count;
    uint64_t generation;
    uint32_t cause;    /* enum settle_cause */
    uint32_t is_final; /* ORDER_READY etc.: unused */
    struct death_certificate death;
    char text[384]; /* an error for people; "" */
};
static_assert(sizeof(struct order) == 64 + 160 + 384, "orders are part of the protocol");

MUST_CHECK enum rc order_send(int fd, const struct order *order); /* RC_AGAIN: full */
/* As order_send, but waits so long for room: the queue holds some ten to some hundred. */
MUST_CHECK enum rc order_send_within(int fd, const struct order *order, int timeout_ms);
MUST_CHECK enum rc order_receive(int fd, struct order *ret); /* RC_AGAIN, RC_DONE: peer gone */

#endif
