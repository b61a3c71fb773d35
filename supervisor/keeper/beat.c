#include "supervisor/keeper/beat.h"

#include "common/base/clock.h"
#include "common/base/log_target.h"
#include "common/ipc/fds.h"

void beat_send(struct beat *b)
{
    b->record.seq++;
    (void)heartbeat_send(FD_HEARTBEAT, &b->record);
    b->due_mono_ns = clock_mono_ns() + b->interval_ns;
}

static void enter(struct beat *b, enum worker_state state)
{
    if (b->record.state == (uint32_t)state)
        return;
    b->record.state = state;
    beat_send(b);
}

void beat_init(struct beat *b, struct pool_mem *mem, int64_t interval_ms)
{
    *b = (struct beat){
        .record = {.magic = HEARTBEAT_MAGIC, .slot = SLOT_KEEPER, .state = WORKER_STARTING},
        .mem = mem,
        .interval_ns = interval_ms * NS_PER_MS,
    };
    beat_send(b);
}

void beat_tick(struct beat *b)
{
    log_target_look();
    if (clock_mono_ns() >= b->due_mono_ns)
        beat_send(b);
}

void beat_wake(struct beat *b, int64_t n)
{
    if (n <= 0 || !pool_wake(b->mem, n < POOL_SLOTS_MAX ? (int)n : POOL_SLOTS_MAX))
        return;
    b->record.has_work = 1;
    beat_send(b);
    b->record.has_work = 0;
}

void beat_ready(struct beat *b)
{
    b->record.is_ready = 1;
    b->record.state = WORKER_IDLE;
    beat_send(b);
}

void beat_held_up(struct beat *b)
{
    b->record.state = WORKER_DATABASE;
}

void beat_goodbye(struct beat *b)
{
    b->record.is_goodbye = 1;
    b->record.state = WORKER_STOPPING;
    beat_send(b);
}

int64_t beat_due_ms(const struct beat *b)
{
    int64_t left_ns = b->due_mono_ns - clock_mono_ns();
    return left_ns > 0 ? (left_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static void on_wait(void *ctx, bool is_waiting)
{
    struct beat *b = ctx;
    pool_want_lock(b->mem, is_waiting);
    if (is_waiting)
        enter(b, WORKER_DATABASE);
    else if (b->record.is_ready)
        enter(b, WORKER_IDLE);
    else /* told with the next beat: it may be about to wait again, see beat_held_up */
        b->record.state = WORKER_STARTING;
}

static void on_busy(void *ctx)
{
    beat_tick(ctx);
}

static void on_commit(void *ctx, uint32_t wal_pages)
{
    struct beat *b = ctx;
    atomic_store(&b->mem->wal_pages, wal_pages);
}

void beat_hook(struct beat *b, struct store_hooks *ret)
{
    *ret = (struct store_hooks){
        .ctx = b,
        .on_wait = on_wait,
        .on_busy = on_busy,
        .on_commit = on_commit,
    };
}
