#include "supervisor/judge.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sys.h"
#include "supervisor/children.h"
#include "supervisor/review.h"

#define PERIOD_MIN_MS 2
#define PERIOD_MAX_MS 250
#define START_PATIENCE_MS 1000

int64_t judge_period_ms(const struct policy_limits *limits)
{
    int64_t period_ms = limits->heartbeat_timeout_ms / 8;

    return period_ms < PERIOD_MIN_MS   ? PERIOD_MIN_MS
           : period_ms > PERIOD_MAX_MS ? PERIOD_MAX_MS
                                       : period_ms;
}

static bool is_judged(const struct child *c)
{
    return c->state == CHILD_STARTING || c->state == CHILD_READY || c->state == CHILD_LEAVING;
}

/* Pipes first, then the gap, then the verdicts: beats that waited while we stood still count. */
static void drain_all(struct pool *pool)
{
    for (int i = 0; i < pool->children_used; i++) {
        if (is_judged(&pool->children[i]))
            children_drain(pool, &pool->children[i]);
    }
}

static void grant_amnesty(struct pool *pool, int64_t now_mono_ns)
{
    log_msg(LOG_LEVEL_WARN, "supervisor.stalled",
        "the supervisor stood still for %lld ms; all deadlines begin anew",
        (now_mono_ns - pool->last_tick_mono_ns) / NS_PER_MS);
    pool->judge_from_mono_ns = now_mono_ns;
}

static struct evidence gather(const struct pool *pool, const struct child *c)
{
    struct evidence e = {
        .beat_mono_ns = c->beat_mono_ns,
        .closed_mono_ns = c->closed_mono_ns,
        .deadline_mono_ns = c->beat.deadline_mono_ns,
        .state = c->beat.state,
    };

    if (!child_is_keeper(c)) {
        struct slot *slot = pool_slot(pool, c);

        /* Newer than the last beat, should a full pipe have dropped some. */
        e.state = atomic_load(&slot->state);
        e.lock_mono_ns = atomic_load(&slot->lock_mono_ns);
        e.has_lock_strike = e.lock_mono_ns != 0 && e.lock_mono_ns == c->lock_seen_ns;
    }
    return e;
}

static struct scene look_around(struct pool *pool, int64_t now_mono_ns)
{
    struct scene s = {
        .now_mono_ns = now_mono_ns,
        .judge_from_mono_ns = pool->judge_from_mono_ns,
    };

    for (int i = 0; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];
        struct evidence e;

        if (!is_judged(c))
            continue;
        e = gather(pool, c);
        if (e.state == WORKER_DATABASE) {
            s.database_len++;
            s.database_silent_len += policy_is_silent(&e, &s, &pool->limits) ? 1 : 0;
        }
        if (!child_is_keeper(c) && atomic_load(&pool_slot(pool, c)->waits_mono_ns) != 0)
            s.is_lock_wanted = true;
    }
    return s;
}

static void word_fault(enum fault fault, const struct pool *pool, char *out, size_t cap)
{
    const struct policy_limits *limits = &pool->limits;

    switch (fault) {
    case FAULT_NONE:
    case FAULT_SLOW_DISK:
        out[0] = '\0';
        break;
    case FAULT_SILENT:
        (void)snprintf(out, cap, "no heartbeat for %" PRId64 " ms", limits->heartbeat_timeout_ms);
        break;
    case FAULT_CLOSED:
        (void)snprintf(out, cap, "alive, but its heartbeat pipe is closed");
        break;
    case FAULT_OVERDUE:
        (void)snprintf(out, cap, "past the deadline that it announced");
        break;
    case FAULT_LOCK:
        (void)snprintf(out, cap, "holds the write lock for over %" PRId64 " ms while others wait",
            limits->write_timeout_ms);
        break;
    }
}

static enum fault judge_child(struct pool *pool, struct child *c, const struct scene *s)
{
    struct evidence e = gather(pool, c);
    char reason[sizeof c->death.reason];
    enum fault fault;

    if (policy_is_suspect(&e, s, &pool->limits))
        e.proc_state = sys_proc_state(c->pid);
    fault = policy_fault(&e, s, &pool->limits);
    /* The next look at the same hold may judge it; a hold seen in state D begins anew. */
    c->lock_seen_ns =
        policy_is_lock_too_old(&e, s, &pool->limits) && e.proc_state != 'D' ? e.lock_mono_ns : 0;
    if (fault == FAULT_NONE || fault == FAULT_SLOW_DISK)
        return fault;
    word_fault(fault, pool, reason, sizeof reason);
    pool_condemn(pool, c, DEATH_HUNG, SETTLE_DIED, reason);
    return fault;
}

static void tell_of_disk(struct pool *pool, bool is_slow)
{
    if (is_slow && !pool->is_disk_slow)
        log_msg(LOG_LEVEL_WARN, "disk.slow",
            "everybody who waits for the database fell silent at once: nobody is killed for it");
    else if (!is_slow && pool->is_disk_slow)
        log_msg(LOG_LEVEL_INFO, "disk.recovered", "the database answers again");
    pool->is_disk_slow = is_slow;
}

static bool holds_lock(struct pool *pool)
{
    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        if (is_judged(c) && atomic_load(&pool_slot(pool, c)->lock_mono_ns) != 0)
            return true;
    }
    return false;
}

/* Before the pool is ready its keeper waits; nothing of the pool holds the lock then for long. */
static bool is_start_held_up(struct pool *pool)
{
    const struct child *keeper = pool_keeper(pool);

    return !pool->link.is_started && is_judged(keeper) && keeper->beat.state == WORKER_DATABASE;
}

/* A foreign program at the write lock is named, and nobody dies for it. */
static void look_for_foreigner(struct pool *pool, bool is_lock_wanted)
{
    struct foreign_lock *f = &pool->foreign;
    bool is_start = is_start_held_up(pool);
    int64_t patience_ms = pool->limits.write_timeout_ms;

    if (is_start && patience_ms > START_PATIENCE_MS)
        patience_ms = START_PATIENCE_MS;
    switch (foreign_lock_look(f, pool->config->pool.database, is_lock_wanted || is_start,
        holds_lock(pool), patience_ms)) {
    case FOREIGN_LOCK_SAME:
        break;
    case FOREIGN_LOCK_OVER:
        log_msg(LOG_LEVEL_INFO, "lock.foreign",
            "the pool no longer waits for a foreign program's write lock; it waited %" PRId64 " ms",
            f->over_ms);
        break;
    case FOREIGN_LOCK_FOUND:
        if (pool_find_pid(pool, f->pid) != NULL)
            foreign_lock_forget(f);
        else
            log_msg(LOG_LEVEL_WARN, "lock.foreign",
                "process %d (%s) holds the database's write lock, and the pool waits for it%s",
                (int)f->pid, f->name, is_start ? " before it can begin" : "");
        break;
    }
}

void judge_tick(void *arg)
{
    struct pool *pool = arg;
    int64_t now = clock_mono_ns();
    bool is_slow = false;
    struct scene scene;

    drain_all(pool);
    if (policy_was_stalled(pool->last_tick_mono_ns, now, &pool->limits))
        grant_amnesty(pool, now);
    pool->last_tick_mono_ns = now;
    scene = look_around(pool, now);
    look_for_foreigner(pool, scene.is_lock_wanted);
    for (int i = 0; i < pool->children_used; i++) {
        if (is_judged(&pool->children[i]))
            is_slow |= judge_child(pool, &pool->children[i], &scene) == FAULT_SLOW_DISK;
    }
    tell_of_disk(pool, is_slow);
    (void)oom_has_killed(&pool->oom); /* kills before now explain no later death */
    pool_review(pool);
}
