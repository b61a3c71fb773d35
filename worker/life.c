#include "worker/life.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/base/proctree.h"
#include "common/base/sys.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"

enum { FAREWELL_ROUNDS = 64 };

void life_beat(struct life *l)
{
    struct heartbeat beat = l->sent;
    beat.seq++;
    beat.state = l->state;
    beat.claim = l->claim;
    beat.deadline_mono_ns = l->deadline_mono_ns;
    beat.is_ready = l->is_ready;
    (void)heartbeat_send(FD_HEARTBEAT, &beat);
    l->sent = beat;
    l->beat_due_mono_ns = clock_mono_ns() + l->interval_ns;
}

/* The lifeline's only message is its end. */
static bool is_orphan(const struct life *l)
{
    struct pollfd lifeline = {.fd = FD_LIFELINE, .events = POLLIN};
    return getppid() != l->parent || poll(&lifeline, 1, 0) > 0;
}

void life_orphaned(void)
{
    struct proctree_end end;
    log_msg(
        LOG_LEVEL_WARN, "worker.orphaned", "the supervisor is gone; leaving, with its handlers");
    for (int i = 0; i < FAREWELL_ROUNDS && proctree_kill_strangers(NULL, 0) > 0; i++)
        while (proctree_reap(&end) == RC_ROW) {
        }
    _exit(1);
}

void life_tick(struct life *l)
{
    log_target_look();
    if (clock_mono_ns() < l->beat_due_mono_ns)
        return;
    if (is_orphan(l))
        life_orphaned();
    life_beat(l);
}

static void write_state(struct life *l, enum worker_state state)
{
    if (l->state == state)
        return;
    l->state = state;
    atomic_store(&l->slot->state, (uint32_t)state);
    atomic_store(&l->slot->since_wall_ms, clock_wall_ms());
}

void life_mark(struct life *l, enum worker_state state, int64_t claim)
{
    l->claim = claim;
    l->deadline_mono_ns = 0;
    atomic_store(&l->slot->claim, claim);
    write_state(l, state);
}

void life_enter(struct life *l, enum worker_state state, int64_t claim, int64_t deadline_mono_ns)
{
    life_mark(l, state, claim);
    l->deadline_mono_ns = deadline_mono_ns;
    if (l->sent.state != (uint32_t)state || l->sent.deadline_mono_ns != deadline_mono_ns)
        life_beat(l);
    else
        life_tick(l); /* a worker that never waits must beat as well */
}

void life_run(struct life *l, int64_t claim, int64_t deadline_mono_ns)
{
    int64_t said = l->sent.deadline_mono_ns;
    life_mark(l, WORKER_RUNNING, claim);
    l->deadline_mono_ns = deadline_mono_ns;
    if (said != 0 && said != deadline_mono_ns && said < clock_mono_ns() + 2 * l->interval_ns)
        life_beat(l);
    else
        life_tick(l);
}

void life_init(
    struct life *l, struct pool_mem *mem, uint32_t slot_no, int64_t number, int64_t interval_ms)
{
    *l = (struct life){
        .mem = mem,
        .slot = &mem->slots[slot_no],
        .number = number,
        .interval_ns = interval_ms * NS_PER_MS,
        .parent = getppid(),
        .state = WORKER_STATE_COUNT,
        .sent = {.magic = HEARTBEAT_MAGIC, .slot = slot_no, .life = number},
    };
    atomic_store(&l->slot->handler_pid, 0);
    atomic_store(&l->slot->lock_mono_ns, 0);
    atomic_store(&l->slot->waits_mono_ns, 0);
    atomic_store(&l->slot->sleeps_at, 0);
    atomic_store(&l->slot->runs, 0);
    atomic_store(&l->slot->has_room, 0);
    atomic_store(&l->slot->begun, 0);
    atomic_store(&l->slot->reached, 0);
    life_mark(l, WORKER_STARTING, 0);
    life_beat(l);
}

void life_ready(struct life *l)
{
    if (l->is_ready)
        return;
    l->is_ready = true;
    life_beat(l);
}

void life_goodbye(struct life *l)
{
    life_mark(l, WORKER_STOPPING, 0);
    l->sent.is_goodbye = 1;
    life_beat(l);
}

void life_sleep_on(struct life *l, const struct sys_futex *words, size_t len, int64_t until_mono_ns)
{
    int64_t until = until_mono_ns < l->beat_due_mono_ns ? until_mono_ns : l->beat_due_mono_ns;
    sys_futex_wait_any(words, len, until);
    life_tick(l);
}

void life_sleep(struct life *l, uint32_t seen, int64_t until_mono_ns)
{
    int64_t until = until_mono_ns < l->beat_due_mono_ns ? until_mono_ns : l->beat_due_mono_ns;
    sys_futex_wait(&l->mem->wake, seen, until);
    life_tick(l);
}

void life_wait(struct life *l, int64_t ns)
{
    int64_t until = clock_mono_ns() + ns;
    while (clock_mono_ns() < until)
        life_sleep(l, atomic_load(&l->mem->wake), until);
}

size_t life_take_claims(struct life *l, size_t wanted, int64_t *ret_first)
{
    size_t left = CLAIM_SEQ_MAX - l->claim_seq, n = wanted < left ? wanted : left;
    if (n > 0)
        *ret_first = claim_make(l->number, l->claim_seq + 1);
    l->claim_seq += (uint32_t)n;
    return n;
}

void life_return_claims(struct life *l, int64_t first, size_t used)
{
    l->claim_seq = claim_seq(first) + (uint32_t)(used > 0 ? used - 1 : 0);
}

void life_hold(struct life *l, size_t runs, int64_t begun)
{
    atomic_store(&l->slot->runs, (uint32_t)runs);
    atomic_store(&l->slot->begun, begun);
}

void life_reach(struct life *l, int64_t claim)
{
    if (claim > atomic_load(&l->slot->reached))
        atomic_store(&l->slot->reached, claim);
}

void life_set_room(struct life *l, bool has_room)
{
    if ((atomic_load(&l->slot->has_room) != 0) != has_room)
        atomic_store(&l->slot->has_room, has_room ? 1 : 0);
}

int64_t life_last_claim(const struct life *l)
{
    return claim_make(l->number, l->claim_seq);
}

void life_wake_others(struct life *l, int64_t n)
{
    if (n <= 0 || !pool_wake(l->mem, n < POOL_SLOTS_MAX ? (int)n : POOL_SLOTS_MAX))
        return;
    l->sent.has_work = 1;
    life_beat(l);
    l->sent.has_work = 0;
}

bool life_is_current(const struct life *l)
{
    return atomic_load(&l->mem->spec_generation) == l->spec_generation;
}

bool life_is_told_to_leave(const struct life *l)
{
    return pool_has_flag(l->mem, POOL_STOPPING | POOL_STOP_NOW) ||
           atomic_load(&l->slot->order) == SLOT_ORDER_RETIRE;
}

bool life_is_leaving(const struct life *l)
{
    return life_is_told_to_leave(l) || l->is_outdated || l->claim_seq >= CLAIM_SEQ_MAX;
}

bool life_is_stopped_now(const struct life *l)
{
    return pool_has_flag(l->mem, POOL_STOP_NOW);
}

bool life_may_claim(const struct life *l)
{
    return !life_is_leaving(l) && life_is_current(l) && !pool_has_flag(l->mem, POOL_SUSPENDED);
}

bool life_is_called(void)
{
    uint64_t count = 0;
    return read(FD_WAKE, &count, sizeof(count)) == sizeof(count) && count >= WAKE_ORDER;
}

static void on_begin(void *ctx)
{
    struct life *l = ctx;
    pool_stand_aside(l->mem);
}

static void on_wait(void *ctx, bool is_waiting)
{
    struct life *l = ctx;
    atomic_store(&l->slot->waits_mono_ns, is_waiting ? clock_mono_ns() : 0);
    if (is_waiting)
        l->state_before_wait = l->state;
    write_state(l, is_waiting ? WORKER_DATABASE : l->state_before_wait);
    if (l->sent.state != (uint32_t)l->state)
        life_beat(l);
}

static void on_busy(void *ctx)
{
    life_tick(ctx);
}

static void on_lock(void *ctx, bool is_held)
{
    struct life *l = ctx;
    atomic_store(&l->slot->lock_mono_ns, is_held ? clock_mono_ns() : 0);
}

static void on_commit(void *ctx, uint32_t wal_pages)
{
    struct life *l = ctx;
    atomic_store(&l->mem->wal_pages, wal_pages);
}

void life_hook(struct life *l, struct store_hooks *ret)
{
    *ret = (struct store_hooks){
        .ctx = l,
        .on_begin = on_begin,
        .on_wait = on_wait,
        .on_busy = on_busy,
        .on_lock = on_lock,
        .on_commit = on_commit,
    };
}
