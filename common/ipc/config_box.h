/* config_box: how the accepted configuration travels: one memfd, sealed so that only the mapping of
 * the supervisor that made it can ever write, with two halves: the configuration in force, and the
 * one that is proposed. Children map it read-only and copy what they want; a generation number in
 * each half tells a copy that was overwritten meanwhile. Knows bytes only: what they mean is
 * common/config's. Sparse: only what is written takes memory. */
#ifndef STINT_IPC_CONFIG_BOX_H
#define STINT_IPC_CONFIG_BOX_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define CONFIG_BOX_MAGIC UINT64_C(0x786f627466666366)
#define CONFIG_BOX_VERSION 1
#define CONFIG_HALF_BYTES ((size_t)16 << 20)

/* Which configuration it is. Generations count proposals from 1; the spec generation rises only
 * when a JobSpec differs: workers of an older one claim no more. */
struct config_stamp {
    uint64_t generation, spec_generation;
};

struct config_half {
    _Atomic uint64_t generation; /* 0: nothing, or just being written */
    _Atomic uint64_t spec_generation;
    _Atomic uint64_t len;
    uint64_t reserved[5];
};

/* The only writer is the supervisor; readers: keeper, workers. */
struct config_box {
    uint64_t magic;
    uint64_t version;
    uint64_t half_bytes;
    alignas(64) _Atomic uint64_t accepted; /* the generation in force */
    alignas(64) struct config_half halves[2];
    alignas(4096) char bytes[];
};
static_assert(sizeof(struct config_half) == 64, "a half's words are one cache line");
static_assert(sizeof(struct config_box) == 4096, "the texts begin on a page of their own");

/* Supervisor: makes and maps it; the descriptor is for children, and for config_box_propose. */
MUST_CHECK enum rc config_box_new(int *ret_fd, struct config_box **ret, struct err *err);
/* Writes a configuration into the half that is not in force. RC_LIMIT: it does not fit; RC_SYS: no
 * memory for it. Then nothing that is in force has changed. */
MUST_CHECK enum rc config_box_propose(struct config_box *box, int fd,
    const struct config_stamp *stamp, const struct buf *packed, struct err *err);
/* From here on that proposal is in force. */
void config_box_accept(struct config_box *box, uint64_t generation);

/* Children: maps it for reading and checks what it is. */
MUST_CHECK enum rc config_box_map(int fd, const struct config_box **ret, struct err *err);
void config_box_unmap(const struct config_box *box); /* NULL: nothing */

/* Copies a configuration out. generation 0: the one in force. RC_NOTFOUND: it is not there any
 * more. */
MUST_CHECK enum rc config_box_read(const struct config_box *box, uint64_t generation,
    struct buf *ret, struct config_stamp *ret_stamp, struct err *err);
uint64_t config_box_accepted(const struct config_box *box);

/* For the supervisor, which alone knows when a half changes: a piece of a configuration, from
 * offset on, at most max bytes; returns its length, 0 at the end, or when it is not there any more.
 */
size_t config_box_piece(
    const struct config_box *box, uint64_t generation, size_t offset, char *out, size_t max);

#endif
