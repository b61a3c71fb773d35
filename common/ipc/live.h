/* live: what running handlers say, for who wants to look on (`stint logs`): a memory file with a
 * ring of bytes for each slot, written by the slot's worker, read by anybody who may open it.
 * Lines; the oldest are overwritten, whether read or not: a writer never waits. Nothing here
 * survives the pool. Used by supervisor (makes it), worker (worker/tail.c) and stint
 * (cli/live_view.c). */
#ifndef STINT_IPC_LIVE_H
#define STINT_IPC_LIVE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define LIVE_MAGIC UINT64_C(0x6576696c746e6974) /* "tintlive" */
#define LIVE_VERSION 1
#define LIVE_RING_BYTES ((size_t)64 * 1024)
#define LIVE_SLOTS_MAX 512
/* A line of a ring is a record: WALL_MS CLAIM ATTEMPT NAME JOB STAGE KEY TEXT, divided by tabs; in
 * TEXT (the last) a line break of the handler's is LIVE_BREAK. */
#define LIVE_BREAK '\v'

/* Counts of all bytes ever written; a byte's place is its count modulo the ring's size. */
struct live_head {
    _Atomic uint64_t begun; /* what lies LIVE_RING_BYTES before it may be overwritten just now */
    _Atomic uint64_t ended; /* readable up to here. Writer of both: the slot's worker */
};

struct live_mem {
    uint64_t magic;
    uint32_t version, slots_len;
    alignas(64) _Atomic uint32_t word; /* futex: bumped with every write of any slot */
    alignas(64) struct live_head heads[LIVE_SLOTS_MAX];
    alignas(4096) char rings[]; /* LIVE_RING_BYTES each; pages that are not written cost nothing */
};

/* Supervisor: the file, for its workers; nothing is mapped. */
MUST_CHECK enum rc live_new(uint32_t slots_len, int *ret_fd, struct err *err);
/* is_writer: a worker. RC_PROTO: this is none of ours. */
MUST_CHECK enum rc live_map(int fd, bool is_writer, struct live_mem **ret, struct err *err);
void live_unmap(struct live_mem *live);

/* A new worker in this slot: what its predecessor was writing when it died does not count. */
void live_begin(struct live_mem *live, uint32_t slot);
/* Whole records, at most LIVE_RING_BYTES; wakes who looks on. */
void live_write(struct live_mem *live, uint32_t slot, const char *data, size_t len);

/* Adds the whole lines that were written since *at, which it moves on; returns how many bytes were
 * overwritten before they could be read. */
uint64_t live_read(const struct live_mem *live, uint32_t slot, uint64_t *at, struct buf *out);

#endif
