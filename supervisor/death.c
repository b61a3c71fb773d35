#include "supervisor/death.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/base/proctree.h"
#include "supervisor/buckets.h"
#include "supervisor/children.h"

#define UNKILLABLE_AFTER_MS 30000

static int64_t timeval_us(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void write_reason(struct child *c)
{
    struct death_certificate *d = &c->death;

    if (d->reason[0] != '\0')
        return; /* it was condemned: the reason is the verdict's */
    if (WIFSIGNALED(d->status))
        (void)snprintf(d->reason, sizeof d->reason, "killed by signal %d%s", WTERMSIG(d->status),
            d->is_oom_proven != 0 ? ", out of memory" : "");
    else
        (void)snprintf(d->reason, sizeof d->reason, "exit status %d%s", WEXITSTATUS(d->status),
            c->said_goodbye ? " after its goodbye" : "");
}

/* The facts of the end; verdict, cause and reason of a condemned one are there already. */
static void write_certificate(struct pool *pool, struct child *c, const struct proctree_end *end)
{
    struct death_certificate *d = &c->death;
    bool is_ours = c->state == CHILD_DOOMED;
    bool is_left = child_is_keeper(c) ? pool->link.is_finished : c->said_goodbye;

    c->ended_mono_ns = clock_mono_ns();
    if (!child_is_keeper(c))
        c->reached = atomic_load(&pool_slot(pool, c)->reached);
    d->pid = end->pid;
    d->status = end->status;
    d->slot = c->slot;
    d->state = c->beat.magic == HEARTBEAT_MAGIC ? c->beat.state : WORKER_STARTING;
    d->user_us = timeval_us(end->usage.ru_utime);
    d->system_us = timeval_us(end->usage.ru_stime);
    d->max_rss_kib = end->usage.ru_maxrss;
    d->last_beat_age_ms = (c->ended_mono_ns - c->beat_mono_ns) / NS_PER_MS;
    d->lived_ms = (c->ended_mono_ns - c->spawned_mono_ns) / NS_PER_MS;
    if (!is_ours && WIFSIGNALED(end->status) && WTERMSIG(end->status) == SIGKILL)
        d->is_oom_proven = oom_has_killed(&pool->oom) ? 1 : 0;
    if (!is_ours) {
        c->verdict = is_left ? DEATH_RETIRED : DEATH_DEAD;
        c->cause = is_left ? SETTLE_RETIRED : SETTLE_DIED;
    }
    d->verdict = c->verdict;
    write_reason(c);
}

void death_reap(struct pool *pool)
{
    struct proctree_end end;

    while (proctree_reap(&end) == RC_ROW) {
        struct child *c = pool_find_pid(pool, end.pid);

        if (c == NULL)
            continue; /* a stranger: a handler that its worker left behind */
        children_drain(pool, c);
        if (child_is_keeper(c))
            link_drain(pool);
        write_certificate(pool, c, &end);
        pool_event(pool, c, EVENT_ENDED);
    }
}

void death_bury(struct pool *pool, struct child *c)
{
    if (child_is_keeper(c)) {
        link_detach(pool);
        pool_want_lock(pool->mem, false);
    } else {
        struct slot *slot = pool_slot(pool, c);

        /* First of all: who executes another's post drops it from here on. */
        atomic_store(&slot->life, 0);
        atomic_store(&slot->pid, 0);
        atomic_store(&slot->lock_mono_ns, 0);
        atomic_store(&slot->waits_mono_ns, 0);
        buckets_forget_sleeper(pool->mem, slot);
    }
    c->pid = 0;
    children_close(c);
}

static size_t list_living(const struct pool *pool, pid_t *out)
{
    size_t len = 0;

    for (int i = 0; i < pool->children_used; i++) {
        if (child_is_alive(&pool->children[i]))
            out[len++] = pool->children[i].pid;
    }
    return len;
}

static bool is_given_up(const struct child *c, int64_t now_mono_ns)
{
    return now_mono_ns - c->ended_mono_ns >= UNKILLABLE_AFTER_MS * NS_PER_MS;
}

size_t death_sweep(struct pool *pool)
{
    static pid_t living[CHILDREN_MAX];
    size_t living_len = list_living(pool, living);
    size_t strangers = proctree_kill_strangers(living, living_len);
    int64_t now = clock_mono_ns();

    for (int i = 0; i < pool->children_used; i++) {
        struct child *c = &pool->children[i];

        if (c->state != CHILD_SWEEPING || (strangers > 0 && !is_given_up(c, now)))
            continue;
        if (strangers > 0)
            log_msg(LOG_LEVEL_WARN, "handler.unkillable",
                "%zu processes of handlers do not end after SIGKILL (a stuck disk?); going on "
                "without them, their claims are fenced",
                strangers);
        pool_event(pool, c, EVENT_TREE_GONE);
    }
    return strangers;
}

static void log_certificate(const struct child *c)
{
    const struct death_certificate *d = &c->death;
    bool is_quiet = c->verdict == DEATH_RETIRED || c->cause == SETTLE_STOPPED;
    struct logline l;

    log_begin(&l, is_quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
        child_is_keeper(c) ? "keeper.died" : "worker.died");
    if (!child_is_keeper(c))
        log_int(&l, "slot", c->slot);
    log_int(&l, "child_pid", d->pid);
    log_int(&l, "life", c->life);
    log_str(&l, "verdict",
        c->verdict == DEATH_HUNG      ? "hung"
        : c->verdict == DEATH_RETIRED ? "retired"
                                      : "dead");
    log_str(&l, "reason", d->reason);
    log_str(&l, "state", worker_state_name(d->state));
    log_int(&l, "lived_ms", d->lived_ms);
    log_int(&l, "last_beat_age_ms", d->last_beat_age_ms);
    log_int(&l, "user_us", d->user_us);
    log_int(&l, "system_us", d->system_us);
    log_int(&l, "max_rss_kib", d->max_rss_kib);
    log_int(&l, "is_oom_proven", d->is_oom_proven);
    if (c->nonsense_count > 0)
        log_int(&l, "nonsense_count", (int64_t)c->nonsense_count);
    log_end(&l);
}

void death_close(struct pool *pool, struct child *c)
{
    bool wants_throttle = policy_wants_throttle(
        c->was_ready, c->said_goodbye, c->death.status, c->death.is_oom_proven != 0);

    log_certificate(c);
    child_reset(c);
    if (wants_throttle)
        pool_event(pool, c, EVENT_THROTTLE);
}

int64_t death_next_due(const struct pool *pool)
{
    int64_t due = 0;

    for (int i = 0; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];
        int64_t at = c->ended_mono_ns + UNKILLABLE_AFTER_MS * NS_PER_MS;

        if (c->state == CHILD_SWEEPING && (due == 0 || at < due))
            due = at;
    }
    return due;
}
