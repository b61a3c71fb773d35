/* heartbeat: the fixed record that keeper and workers write to their pipe every heartbeat_interval
 * and at each change of state. Atomic (< PIPE_BUF); a full pipe drops the beat. Written by the
 * child, read by the supervisor only. The keeper's slot is SLOT_KEEPER. */
#ifndef STINT_IPC_HEARTBEAT_H
#define STINT_IPC_HEARTBEAT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define HEARTBEAT_MAGIC 0x62747331u
#define SLOT_KEEPER 0xffffffffu

/* One X-macro: enum, names and count. */
#define WORKER_STATES(X)                                                                           \
    X(STARTING, starting)                                                                          \
    X(IDLE, idle)                                                                                  \
    X(DATABASE, database)                                                                          \
    X(RUNNING, running)                                                                            \
    X(STOPPING, stopping)

#define STATE_ENUM(upper, lower) WORKER_##upper,
enum worker_state { WORKER_STATES(STATE_ENUM) WORKER_STATE_COUNT };
#undef STATE_ENUM

struct heartbeat {
    uint32_t magic;
    uint32_t slot;
    int64_t life;
    uint32_t seq;
    uint32_t state;           /* enum worker_state; bound-checked by the reader */
    int64_t claim;            /* 0: none */
    int64_t deadline_mono_ns; /* of the running stage run, grace included; 0: none */
    uint32_t is_ready;        /* database open, first look for work done */
    uint32_t is_goodbye;      /* last record: the life retires by itself */
    uint32_t has_work;        /* work became claimable: kick those who have room for it */
    uint32_t reserved;
};
static_assert(sizeof(struct heartbeat) == 56, "heartbeat record is part of the protocol");

const char *worker_state_name(uint32_t state); /* "unknown" out of range */
/* Writes the record; false if the pipe was full (dropped) or broken. */
bool heartbeat_send(int fd, const struct heartbeat *beat);
/* Reads one record; 1: *ret is it, 0: nothing now, −1: end of file, −2: nonsense (dropped). */
int heartbeat_receive(int fd, struct heartbeat *ret);

#endif
