#include "supervisor/review.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "supervisor/children.h"
#include "supervisor/death.h"

#define SOON_MS 5
#define STARTS_A_TURN 16 /* the loop must not stand still for a large pool's birth */

/* The state of all workers' places, in one look. */
struct census {
    int occupied; /* not empty, not asked to retire */
    int unended;  /* a process, or a settlement, is still there */
    int sweeping;
};

static struct census count(const struct pool *pool)
{
    struct census n = {0};

    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        n.occupied += c->state != CHILD_EMPTY && !c->is_retiring ? 1 : 0;
        n.unended += c->state != CHILD_EMPTY && c->state != CHILD_THROTTLED ? 1 : 0;
        n.sweeping += c->state == CHILD_SWEEPING ? 1 : 0;
    }
    n.sweeping += pool->children[KEEPER_INDEX].state == CHILD_SWEEPING ? 1 : 0;
    return n;
}

static void end_pauses(struct pool *pool, int64_t now_mono_ns)
{
    for (int i = 0; i < pool->children_used; i++) {
        struct child *c = &pool->children[i];

        if (c->state == CHILD_THROTTLED && now_mono_ns >= c->pause_until_mono_ns)
            pool_event(pool, c, EVENT_PAUSE_OVER);
    }
}

static void condemn_workers(struct pool *pool)
{
    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++)
        pool_condemn(pool, &pool->children[i], DEATH_DEAD, SETTLE_STOPPED,
            "still there when the pool's time to stop was over");
}

static void climb_down(struct pool *pool, int64_t now_mono_ns)
{
    for (;;) {
        switch (stop_take(&pool->stop, now_mono_ns)) {
        case STOP_ACT_NONE:
            return;
        case STOP_ACT_NOW:
            pool_set_flag(pool, POOL_STOP_NOW, true);
            break;
        case STOP_ACT_KILL:
            condemn_workers(pool);
            break;
        case STOP_ACT_GIVE_UP:
            log_msg(LOG_LEVEL_ERROR, "pool.given_up",
                "the keeper did not settle in time; the next start does it");
            pool->exit_code = pool->is_lost ? pool->exit_code : 1;
            pool_condemn(pool, pool_keeper(pool), DEATH_HUNG, SETTLE_STOPPED,
                "did not settle before the pool's end");
            break;
        }
    }
}

/* Stopping needs a keeper as long as there is something to settle or a pools row to retire. */
static bool wants_keeper(const struct pool *pool, const struct census *n)
{
    if (pool->stop.mode == STOP_NOT)
        return true;
    return !pool->stop.is_given_up && pool->link.is_started &&
           (n->unended > 0 || !pool->link.is_finished);
}

/* True: there are more to start than one turn may. */
static bool refill(struct pool *pool, const struct census *n)
{
    struct head_count h = {
        .occupied = n->occupied,
        .target = pool->scale.target,
        .may_start = pool->link.is_ready && pool->stop.mode == STOP_NOT,
    };
    int64_t wanted = policy_refill(&h);
    int started = 0;

    for (int i = KEEPER_INDEX + 1; i < CHILDREN_MAX && started < wanted; i++) {
        if (pool->children[i].state != CHILD_EMPTY)
            continue;
        if (started == STARTS_A_TURN)
            return true;
        if (i >= pool->children_used)
            pool->children_used = i + 1;
        if (!children_start_worker(pool, &pool->children[i]))
            return false;
        started++;
    }
    return false;
}

/* One order for the highest worker that may get it. */
static bool retire_one(struct pool *pool, bool wants_idle)
{
    for (int i = pool->children_used - 1; i > KEEPER_INDEX; i--) {
        struct child *c = &pool->children[i];
        bool is_living = c->state == CHILD_STARTING || c->state == CHILD_READY;

        if (c->is_retiring || !is_living || (wants_idle && !pool_is_idle(pool, c)))
            continue;
        c->is_retiring = true;
        atomic_store(&pool_slot(pool, c)->order, SLOT_ORDER_RETIRE);
        return true;
    }
    return false;
}

/* Places that only wait for their next try are the first to go; then idle workers; a busy one is
 * asked only when there are more than the configuration allows. */
static void retire(struct pool *pool, const struct census *n)
{
    struct head_count h = {.occupied = n->occupied, .target = pool->scale.target};
    int64_t surplus = policy_surplus(&h), over_max = n->occupied - pool->workers_max;
    bool is_told = false;

    for (int i = pool->children_used - 1; i > KEEPER_INDEX && surplus > 0; i--) {
        if (pool->children[i].state == CHILD_THROTTLED) {
            pool_event(pool, &pool->children[i], EVENT_PAUSE_OVER);
            surplus--;
            over_max--;
        }
    }
    for (; surplus > 0; surplus--, over_max--) {
        if (!retire_one(pool, true) && (over_max <= 0 || !retire_one(pool, false)))
            break;
        is_told = true;
    }
    if (is_told)
        pool_notify(pool);
}

static void scale(struct pool *pool, int64_t now_mono_ns)
{
    int64_t wanted = policy_wanted(
        pool_workers_busy(pool), pool->link.backlog, pool->workers_min, pool->workers_max);
    int64_t before = pool->scale.target;

    policy_scale(&pool->scale, wanted, pool->workers_max, now_mono_ns);
    if (before != pool->scale.target && before != 0)
        log_msg(LOG_LEVEL_INFO, "pool.scaled", "%" PRId64 " workers instead of %" PRId64,
            pool->scale.target, before);
}

static void log_ready(const struct pool *pool)
{
    struct logline l;
    log_begin(&l, LOG_LEVEL_INFO, "pool.ready");
    log_str(&l, "msg", "the pool is ready: workers start");
    log_int(&l, "workers_min", pool->workers_min);
    log_int(&l, "workers_max", pool->workers_max);
    log_str(&l, "pool_id", pool->mem->pool_id);
    log_end(&l);
}

static void announce(struct pool *pool)
{
    if (pool->is_announced || !pool->link.is_started)
        return;
    pool->is_announced = true;
    pool->link.watch_rest.is_wanted = pool->is_drain;
    log_ready(pool);
    notify_ready(&pool->notify);
}

static void handle_rest(struct pool *pool)
{
    if (!pool->is_drain || !pool->link.is_rested || pool->stop.mode != STOP_NOT)
        return;
    pool->exit_code = pool->link.rest_count > 0 ? 1 : 0;
    pool_stop(pool, STOP_GRACEFUL, "everything is at rest");
}

/* The end: no child, no settlement, no stranger, and the keeper has retired the pools row (or
 * there is none, or it was given up). */
static void end_if_over(struct pool *pool, const struct census *n)
{
    const struct child *keeper = pool_keeper(pool);
    bool is_keeper_gone = keeper->state == CHILD_EMPTY || keeper->state == CHILD_THROTTLED;
    bool is_settled = n->unended == 0 && (pool->link.is_finished || !pool->link.is_started);

    if (pool->stop.mode == STOP_NOT || !is_keeper_gone)
        return;
    if (!is_settled &&
        !(pool->stop.is_given_up && pool_workers_alive(pool) == 0 && n->sweeping == 0))
        return;
    if (death_sweep(pool) > 0)
        return;
    pool->is_over = true;
    loop_end(pool->loop);
}

static void keep_keeper(struct pool *pool, const struct census *n)
{
    struct child *keeper = pool_keeper(pool);

    if (keeper->state == CHILD_EMPTY && wants_keeper(pool, n))
        children_start_keeper(pool);
    /* Not even ready: it has nothing of this pool's to finish, and may wait for a foreign program
     * as long as that lives. */
    if (pool->stop.mode != STOP_NOT && !pool->link.is_started &&
        (pool->stop.is_now_done || keeper->beat.state == WORKER_DATABASE))
        pool_condemn(pool, keeper, DEATH_DEAD, SETTLE_STOPPED, "the pool stopped before it began");
    pool->link.finish.is_wanted =
        pool->stop.mode != STOP_NOT && n->unended == 0 && !pool->link.is_finished;
    pool->link.lives.is_wanted =
        pool->stop.mode == STOP_NOT && lives_left(&pool->lives) < LIVES_LOW;
}

static void earlier(int64_t *due, int64_t at)
{
    if (at != 0 && (*due == 0 || at < *due))
        *due = at;
}

static void set_alarm(struct pool *pool, bool wants_more)
{
    int64_t soon = clock_mono_ns() + SOON_MS * NS_PER_MS;
    int64_t due = 0;

    earlier(&due, stop_next_due(&pool->stop));
    earlier(&due, death_next_due(pool));
    earlier(&due, link_next_due(pool));
    for (int i = 0; i < pool->children_used; i++) {
        if (pool->children[i].state == CHILD_THROTTLED)
            earlier(&due, pool->children[i].pause_until_mono_ns);
    }
    /* What was due and could not be done must not make the loop spin. */
    if (due != 0 && due < soon)
        due = soon;
    loop_set_alarm(pool->loop, wants_more ? 1 : due);
}

void pool_review(struct pool *pool)
{
    int64_t now = clock_mono_ns();
    struct census n;
    bool wants_more;

    climb_down(pool, now);
    end_pauses(pool, now);
    n = count(pool);
    if (n.sweeping > 0)
        (void)death_sweep(pool);
    announce(pool);
    handle_rest(pool);
    reload_review(pool);
    scale(pool, now);
    n = count(pool);
    keep_keeper(pool, &n);
    link_push(pool);
    wants_more = refill(pool, &n);
    n = count(pool);
    retire(pool, &n);
    end_if_over(pool, &n);
    set_alarm(pool, wants_more);
}
