/* pool_mem: the pool's shared memory: a sealed, pre-faulted memfd made by the supervisor before its
 * first child. Single words with one writer each (named below) and words changed by CAS; no locks,
 * no pointers. Nothing here is trusted as an index or a pid without a check. */
#ifndef STINT_IPC_POOL_MEM_H
#define STINT_IPC_POOL_MEM_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/ipc/bucket.h"

#define POOL_MEM_MAGIC UINT64_C(0x6d656d746e697473) /* "stintmem" */
#define POOL_MEM_VERSION 4
#define POOL_SLOTS_MAX 512

/* pool_mem.flags; writer: supervisor; readers: keeper, workers, before every claim. */
enum pool_flag {
    POOL_STOPPING = 1,  /* finish what runs, claim no more, leave */
    POOL_STOP_NOW = 2,  /* end what runs (given back, not counted), leave */
    POOL_SUSPENDED = 4, /* SIGTSTP: claim nothing until SIGCONT */
};

/* slot.order; writer: supervisor; reader: the slot's worker. */
enum slot_order {
    SLOT_ORDER_NONE = 0,
    SLOT_ORDER_RETIRE = 1, /* leave when empty */
};

struct slot {
    /* Writer: supervisor. */
    alignas(64) _Atomic int64_t life; /* 0: nobody lives here. Reader: everyone */
    _Atomic uint32_t pid;
    _Atomic uint32_t order;
    /* Writer: the worker of this life. Readers: supervisor (verdicts, `workers`). */
    _Atomic uint32_t state;        /* enum worker_state */
    _Atomic uint32_t handler_pid;  /* leader of the handler's process group; 0: none */
    _Atomic int64_t claim;         /* 0: none */
    _Atomic int64_t since_wall_ms; /* of the state */
    _Atomic int64_t lock_mono_ns;  /* holds the database's write lock since; 0: does not */
    _Atomic int64_t waits_mono_ns; /* waits for the write lock since; 0: does not */
    /* It sleeps until a token is due: a bit for each place of a bucket that is empty, and since
     * when. Who came first counts on the first token. Readers: those who sleep there too,
     * `resources`; the supervisor clears it after a death. */
    _Atomic uint64_t sleeps_at;
    _Atomic int64_t sleeps_mono_ns;
    /* Runs in hand; and whether it could take more while these go on: it is in its loop then, and
     * not asleep on the wake word. */
    _Atomic uint32_t runs, has_room;
    _Atomic int64_t begun;   /* every claim of this life up to here has begun, or is given back */
    _Atomic int64_t reached; /* no claim of this life beyond here has begun */
    int64_t reserved[3];
};
static_assert(sizeof(struct slot) == 128, "slots are laid out by cache line pairs");

struct pool_mem {
    uint64_t magic;
    uint32_t version;
    uint32_t slots_len; /* capacity */
    uint64_t size;
    char boot_id[40];
    char pool_id[64]; /* STINT_POOL_ID: "DEV-INO-" of the directory, then a random part */
    /* Futex. Bumped by whoever may have made something claimable, and by the supervisor with every
     * change of flags or orders. Idle workers sleep on it. */
    alignas(64) _Atomic uint32_t wake;
    _Atomic uint32_t flags;     /* enum pool_flag; writer: supervisor */
    _Atomic uint32_t wal_pages; /* pages in the WAL after the newest commit; writer: committers */
    /* Futex. 1 while the keeper waits for the database's write lock: workers that are about to ask
     * for it let the keeper go first. Writer: keeper; the supervisor clears it after its death. */
    _Atomic uint32_t lock_wanted;
    /* Raised by the keeper under the write lock, before the commit that makes a new JobSpec the
     * database's: who gets the lock afterwards and works by an older one claims nothing. Readers:
     * workers, before a wish and again inside its transaction. */
    _Atomic uint64_t spec_generation;
    _Atomic uint32_t bucket_ids; /* given out so far; writer: supervisor */
    struct bucket buckets[BUCKETS_MAX];
    /* Raised after a log file was opened anew: every process does the same. Writer: supervisor. */
    _Atomic uint32_t log_generation;
    _Atomic uint32_t log_level; /* enum log_level; writer: supervisor, before the first child */
    /* The pool's file (home.h); 0: not known yet. Writer: keeper, once; readers: all, `status`. */
    _Atomic uint64_t database_device, database_inode;
    _Atomic uint32_t is_ruined; /* a statement found it damaged. Writer: anybody; reader: keeper */
    alignas(64) struct slot slots[];
};
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared words need CAS");

/* Supervisor: makes, maps and pre-faults it; the fd is for children. */
MUST_CHECK enum rc pool_mem_new(
    uint32_t slots_len, const char *pool_id, int *ret_fd, struct pool_mem **ret, struct err *err);
/* Children: maps it and checks magic, version, size, boot id. */
MUST_CHECK enum rc pool_mem_map(int fd, struct pool_mem **ret, struct err *err);
void pool_mem_unmap(struct pool_mem *mem);

/* Living workers that sleep at the bucket in this place; before (may be NULL): only those who came
 * there before that one. */
int pool_sleepers(struct pool_mem *mem, size_t place, const struct slot *before);
/* Something may be claimable: bump the word and wake up to n idle workers. True: there were fewer,
 * and others have room while they run something: the supervisor is to kick them. */
bool pool_wake(struct pool_mem *mem, int n);
/* What the supervisor writes to a slot's eventfd: an order, or claims were taken away; or only that
 * there may be work for who has room. */
#define WAKE_ORDER (UINT64_C(1) << 32)
#define WAKE_KICK UINT64_C(1)
/* Sets lock_wanted; clearing it wakes whoever stood aside. */
void pool_want_lock(struct pool_mem *mem, bool is_wanted);
/* Stands aside while the lock is wanted, some milliseconds at most: it is a courtesy, no lock. */
void pool_stand_aside(struct pool_mem *mem);
/* How many slots have a life now. */
uint32_t pool_lives(struct pool_mem *mem);
static inline bool pool_has_flag(struct pool_mem *mem, uint32_t flags)
{
    return (atomic_load(&mem->flags) & flags) != 0;
}

#endif
