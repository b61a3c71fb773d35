#include "supervisor/pool.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/base/sys.h"
#include "supervisor/children.h"
#include "supervisor/death.h"

void pool_init(struct pool *pool)
{
    memset(pool, 0, sizeof *pool);
    pool->lock_fd = pool->mem_fd = pool->config_fd = pool->live_fd = -1;
    pool->lifeline[0] = pool->lifeline[1] = -1;
    pool->oom.fd = -1;
    pool->cgroup.procs_fd = -1;
    pool->notify.fd = pool->notify.ready_fd = -1;
    child_init(&pool->children[KEEPER_INDEX], SLOT_KEEPER);
    for (int i = KEEPER_INDEX + 1; i < CHILDREN_MAX; i++)
        child_init(&pool->children[i], (uint32_t)i - 1);
    pool->children_used = KEEPER_INDEX + 1;
    lives_init(&pool->lives);
    link_init(&pool->link);
    reload_init(&pool->reload);
}

struct child *pool_find_pid(struct pool *pool, pid_t pid)
{
    for (int i = 0; i < pool->children_used; i++) {
        if (pool->children[i].pid == pid)
            return &pool->children[i];
    }
    return NULL;
}

struct child *pool_find_life(struct pool *pool, int64_t life)
{
    for (int i = KEEPER_INDEX + 1; i < pool->children_used && life > 0; i++) {
        if (pool->children[i].life == life)
            return &pool->children[i];
    }
    return NULL;
}

/* The doers of the actions, by enum child_action. */

static void do_nothing(struct pool *pool, struct child *c)
{
    (void)pool;
    (void)c;
}

static void do_pardon(struct pool *pool, struct child *c)
{
    (void)pool;
    c->was_ready = true;
    c->pause_ms = 0;
}

static void do_kill(struct pool *pool, struct child *c)
{
    (void)pool;
    children_kill(c);
}

/* A worker's settlement goes out with the next review; a keeper has no claims. */
static void do_settle(struct pool *pool, struct child *c)
{
    if (child_is_keeper(c))
        pool_event(pool, c, EVENT_SETTLED);
}

static void do_pause(struct pool *pool, struct child *c)
{
    c->pause_ms = policy_next_pause_ms(c->pause_ms);
    c->pause_until_mono_ns = clock_mono_ns() + c->pause_ms * NS_PER_MS;
    if (pool->stop.mode != STOP_NOT) /* it was told to end; whoever is needed still comes again */
        return;
    log_msg(LOG_LEVEL_WARN, child_is_keeper(c) ? "keeper.throttled" : "worker.throttled",
        "ended before it was ready: next try in %" PRId64 " ms", c->pause_ms);
}

/* The very first keeper says on stderr why it cannot begin; there is nothing to try again. */
static void do_bury(struct pool *pool, struct child *c)
{
    int status = c->death.status;

    if (child_is_keeper(c) && !pool->link.is_started && WIFEXITED(status) &&
        WEXITSTATUS(status) != 0 && pool->stop.mode == STOP_NOT) {
        pool->exit_code = WEXITSTATUS(status);
        pool_stop(pool, STOP_QUIT, "the keeper could not begin");
    }
    death_bury(pool, c);
}

void pool_event(struct pool *pool, struct child *c, enum child_event event)
{
    static void (*const doers[ACT_COUNT])(struct pool *, struct child *) = {
        [ACT_NONE] = do_nothing,
        [ACT_PARDON] = do_pardon,
        [ACT_KILL] = do_kill,
        [ACT_BURY] = do_bury,
        [ACT_SETTLE] = do_settle,
        [ACT_CLOSE] = death_close,
        [ACT_PAUSE] = do_pause,
    };

    doers[child_step(c, event)](pool, c);
}

void pool_condemn(struct pool *pool, struct child *c, enum death_verdict verdict,
    enum settle_cause cause, const char *reason)
{
    if (child_find_step(c->state, EVENT_CONDEMNED) == NULL)
        return;
    c->verdict = verdict;
    c->cause = cause;
    (void)snprintf(c->death.reason, sizeof c->death.reason, "%s", reason);
    pool_event(pool, c, EVENT_CONDEMNED);
}

void pool_kick(struct pool *pool)
{
    static const uint64_t kick = WAKE_KICK;

    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        if (c->wake_fd >= 0 && atomic_load(&pool_slot(pool, c)->has_room) != 0)
            (void)sys_write_all(c->wake_fd, &kick, sizeof kick);
    }
}

void pool_look(struct pool *pool)
{
    static const uint64_t one = WAKE_ORDER;

    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        if (pool->children[i].wake_fd >= 0)
            (void)sys_write_all(pool->children[i].wake_fd, &one, sizeof one);
    }
}

void pool_notify(struct pool *pool)
{
    (void)pool_wake(pool->mem, INT_MAX);
    pool_look(pool);
}

void pool_set_flag(struct pool *pool, enum pool_flag flag, bool is_on)
{
    if (is_on)
        atomic_fetch_or(&pool->mem->flags, (uint32_t)flag);
    else
        atomic_fetch_and(&pool->mem->flags, ~(uint32_t)flag);
    pool_notify(pool);
}

int pool_workers_alive(const struct pool *pool)
{
    int n = 0;

    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++)
        n += child_is_alive(&pool->children[i]) ? 1 : 0;
    return n;
}

/* By the shared words, which are newer than the last beats. */
bool pool_is_idle(const struct pool *pool, const struct child *c)
{
    return c->state == CHILD_READY && atomic_load(&pool_slot(pool, c)->state) == WORKER_IDLE;
}

int pool_workers_busy(const struct pool *pool)
{
    int n = 0;

    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        n += c->state == CHILD_READY && !pool_is_idle(pool, c) ? 1 : 0;
    }
    return n;
}

const char *pool_state_name(const struct pool *pool)
{
    if (pool->stop.mode != STOP_NOT)
        return "stopping";
    if (pool->is_suspended)
        return "suspended";
    return pool->link.is_started ? "running" : "starting";
}

void pool_stop(struct pool *pool, enum stop_mode mode, const char *why)
{
    enum stop_mode before = pool->stop.mode;

    stop_begin(&pool->stop, mode, clock_mono_ns(), pool->config->pool.shutdown_timeout_ms);
    if (pool->stop.mode == before)
        return;
    log_msg(LOG_LEVEL_INFO, "pool.stopping", "%s: %s", why,
        mode == STOP_GRACEFUL ? "what runs may finish" : "what runs is ended and given back");
    /* Set before anything else: from here on nobody claims and nobody is refilled. */
    pool_set_flag(pool, POOL_STOPPING, true);
    if (before == STOP_NOT)
        notify_stopping(&pool->notify);
}

void pool_suspend(struct pool *pool, bool is_on)
{
    if (pool->is_suspended == is_on)
        return;
    pool->is_suspended = is_on;
    pool_set_flag(pool, POOL_SUSPENDED, is_on);
    log_msg(LOG_LEVEL_INFO, is_on ? "pool.suspended" : "pool.resumed",
        is_on ? "nothing new is claimed until SIGCONT" : "claiming goes on");
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

void pool_resize(struct pool *pool, int by)
{
    pool->workers_min = clamp(pool->workers_min + by, 1, POOL_SLOTS_MAX);
    pool->workers_max = clamp(pool->workers_max + by, 1, POOL_SLOTS_MAX);
    log_msg(LOG_LEVEL_INFO, "pool.resized", "workers = %" PRId64 "..%" PRId64, pool->workers_min,
        pool->workers_max);
}

void pool_dump(struct pool *pool)
{
    int64_t now = clock_mono_ns();

    log_msg(LOG_LEVEL_INFO, "dump.pool",
        "state %s, target %" PRId64 " of %" PRId64 "..%" PRId64
        ", alive %d, busy %d, backlog %" PRId64 ", lives left %" PRId64 ", pools row %" PRId64,
        pool_state_name(pool), pool->scale.target, pool->workers_min, pool->workers_max,
        pool_workers_alive(pool), pool_workers_busy(pool), pool->link.backlog,
        lives_left(&pool->lives), pool->link.pool_row);
    for (int i = 0; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        log_msg(LOG_LEVEL_INFO, "dump.child",
            "slot %d %s pid %d life %" PRId64 " last beat %lld ms ago, %s",
            child_is_keeper(c) ? -1 : (int)c->slot, child_state_name(c->state), (int)c->pid,
            c->life, c->beat_mono_ns == 0 ? -1 : (now - c->beat_mono_ns) / NS_PER_MS,
            worker_state_name(c->beat.state));
    }
}

void pool_reopen_log(struct pool *pool)
{
    struct err err = {""};

    if (log_target_reopen(&err) != RC_OK) {
        log_msg(LOG_LEVEL_ERROR, "log.failed", "%s; going on in the old file", err.text);
        return;
    }
    atomic_fetch_add(&pool->mem->log_generation, 1);
    log_msg(LOG_LEVEL_INFO, "log.reopened", "told by SIGUSR1");
}

/* The keeper counts the backlog only where the number of workers follows it. */
void pool_tell_init(struct pool *pool)
{
    char text[sizeof pool->notify.status], backlog[32] = "";
    const char *refusal = buf_str(&pool->reload.lines);

    if (pool->workers_min != pool->workers_max)
        (void)snprintf(backlog, sizeof backlog, ", backlog %" PRId64, pool->link.backlog);
    (void)snprintf(text, sizeof text, "%s: %d of %" PRId64 " workers, %d busy, %s%s",
        pool_state_name(pool), pool_workers_alive(pool), pool->scale.target,
        pool_workers_busy(pool), pool->link.is_ready ? "keeper well" : "no keeper", backlog);
    if (pool->foreign.pid != 0) {
        (void)snprintf(text, sizeof text,
            "%s: waits for process %d (%s), which holds the database's write lock",
            pool_state_name(pool), (int)pool->foreign.pid, pool->foreign.name);
        notify_patience(&pool->notify, clock_mono_ns());
    }
    if (pool->reload.state == RELOAD_REFUSED)
        (void)snprintf(text, sizeof text, "reload refused, the old configuration is in force: %.*s",
            (int)strcspn(refusal, "\n"), refusal);
    notify_status(&pool->notify, text);
    notify_tick(&pool->notify, clock_mono_ns());
}
