#include "supervisor/keeper/chores.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ipc/fds.h"
#include "common/ipc/orders.h"
#include "common/store/add.h"
#include "supervisor/keeper/home.h"
#include "supervisor/keeper/policy.h"

#define SAFETY_NET_NS (30 * NS_PER_S)
#define SLOW_COMMIT_NS (3 * NS_PER_S) /* a disk may take so long: looked at with each beat */
enum {
    STREAM_GAP_MS = 20,    /* between looks while commits come and come */
    FOLLOW_MS = 250,       /* after the last sign of a commit */
    FAILING_GAP_MS = 5000, /* at most, while the database fails */
    INBOX_BITE = 256,
    DUE_BITE = 1024,
    CHECKPOINT_GAP_MS = 20,
    CHECKPOINT_GAP_MAX_MS = 1000, /* while a reader keeps pages in the log */
};

bool chores_is_ok(struct keeper *k, enum rc rc, const struct err *err)
{
    if (rc == RC_CORRUPT)
        home_is_damaged(k, err->text);
    else if (rc != RC_OK && !k->is_failing)
        log_msg(LOG_LEVEL_ERROR, "keeper.database", "%s; trying again", err->text);
    if (rc == RC_OK && k->is_failing)
        log_msg(LOG_LEVEL_INFO, "keeper.database", "the database answers again");
    k->is_failing = rc != RC_OK;
    return rc == RC_OK;
}

static void wake(struct keeper *k, int64_t n)
{
    beat_wake(&k->beat, n);
}

static enum rc admit_inbox(struct keeper *k, bool *ret_left, struct err *err)
{
    struct add_report report = {0};
    enum rc rc = store_admit_inbox(k->store, k->catalog, INBOX_BITE, &report, ret_left, err);
    wake(k, report.claimable);
    return rc;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Retries whose time has come, pauses whose time is over. */
static enum rc wake_due(struct keeper *k, struct err *err)
{
    int64_t woken = 0, lifted = 0, next_due = 0, next_lift = 0;
    enum rc rc = store_lift_pauses(k->store, &lifted, &next_lift, err);
    if (rc == RC_OK)
        rc = store_wake_due(k->store, DUE_BITE, &woken, &next_due, err);
    if (rc != RC_OK)
        return rc;
    wake(k, lifted > 0 ? POOL_SLOTS_MAX : woken);
    k->next_due_wall_ms = earlier(next_due, next_lift);
    return RC_OK;
}

static int64_t count_idle(const struct keeper *k)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < k->mem->slots_len && i < POOL_SLOTS_MAX; i++)
        n += atomic_load(&k->mem->slots[i].life) != 0 &&
             atomic_load(&k->mem->slots[i].state) == WORKER_IDLE;
    return n;
}

static void report(enum order_kind kind, int64_t count)
{
    struct order order = {.magic = ORDER_MAGIC, .kind = kind, .count = count};
    (void)order_send(FD_ORDERS, &order);
}

static void report_rest(struct keeper *k, const struct rest *rest)
{
    if (!k->is_watching_rest || !policy_is_at_rest(rest))
        return;
    k->is_watching_rest = false;
    report(ORDER_RESTED, rest->undone);
}

static void report_backlog(struct keeper *k, const struct rest *rest)
{
    if (k->config->pool.workers_min == k->config->pool.workers_max ||
        !policy_is_backlog_notable(k->told_backlog, rest->claimable))
        return;
    k->told_backlog = rest->claimable;
    report(ORDER_BACKLOG, rest->claimable);
}

/* Runs that lack a token wake nobody, as long as somebody sleeps until one is due. */
static int64_t weigh(void *ctx, int64_t stage_id, int64_t pending)
{
    const struct keeper *k = ctx;
    const struct catalog_stage *stage = catalog_stage(k->catalog, stage_id);
    for (size_t i = 0; stage != NULL && i < stage->spec->tuning.resources_len; i++) {
        const char *name = k->config->resources[stage->spec->tuning.resources[i]].name;
        struct bucket_ref ref;
        if (!bucket_find(k->mem->buckets, name, &ref))
            return 0;
        if (bucket_due_mono_ns(&ref, 1) <= clock_mono_ns())
            continue;
        return pool_sleepers(k->mem, (size_t)(ref.bucket - k->mem->buckets), NULL) > 0 ? 0 : 1;
    }
    return pending;
}

/* Who commits beside the pool (a discovery, a command, plain SQL) wakes nobody; so this does. */
static enum rc look_around(struct keeper *k, struct err *err)
{
    struct rest rest = {0};
    int64_t idle = count_idle(k);
    bool is_scaled = k->config->pool.workers_min != k->config->pool.workers_max;
    if (idle == 0 && !k->is_watching_rest && !is_scaled)
        return RC_OK;
    struct lane_weigher weigher = {weigh, k};
    enum rc rc = store_rest_weighed(k->store, &weigher, &rest, err);
    if (rc != RC_OK)
        return rc;
    wake(k, rest.claimable < idle ? rest.claimable : idle);
    report_rest(k, &rest);
    report_backlog(k, &rest);
    return RC_OK;
}

static bool is_checkpoint_due(const struct keeper *k)
{
    return atomic_load(&k->mem->wal_pages) >= STORE_CHECKPOINT_PAGES &&
           clock_mono_ns() >= k->checkpoint_at_mono_ns;
}

static enum rc checkpoint(struct keeper *k, struct err *err)
{
    uint32_t left = 0;
    if (!is_checkpoint_due(k) || !home_is_there(k))
        return RC_OK;
    enum rc rc = store_checkpoint(k->store, &left, err);
    if (rc == RC_OK)
        atomic_store(&k->mem->wal_pages, left);
    if (rc == RC_OK && left < STORE_CHECKPOINT_PAGES)
        k->checkpoint_gap_ms = CHECKPOINT_GAP_MS;
    else if (k->checkpoint_gap_ms < CHECKPOINT_GAP_MAX_MS)
        k->checkpoint_gap_ms *= 2;
    k->checkpoint_at_mono_ns = clock_mono_ns() + k->checkpoint_gap_ms * NS_PER_MS;
    return rc;
}

static void set_due_timer(struct keeper *k)
{
    int64_t after_ms = k->next_due_wall_ms - clock_wall_ms();
    if (k->next_due_wall_ms == 0)
        after_ms = -1;
    else if (after_ms < 0)
        after_ms = 0;
    loop_set_timer(k->loop, LOOP_DUE, after_ms);
}

/* The log is written before its commit can be seen: a look that follows the last write closely may
 * see nothing new, and nothing announces the moment when it would. So after the last sign of a
 * commit it is looked again, at growing intervals. */
static int64_t next_gap_ms(const struct keeper *k, bool has_sign, int64_t silence_ms)
{
    int64_t doubled_ms = k->gap_ms * 2;
    if (has_sign) /* the first after silence is followed closely, a stream of them from afar */
        return silence_ms > 2 * STREAM_GAP_MS ? 1
               : doubled_ms < STREAM_GAP_MS   ? doubled_ms
                                              : STREAM_GAP_MS;
    return silence_ms < FOLLOW_MS ? doubled_ms : -1;
}

static void plan_next_look(struct keeper *k, bool is_ok, bool has_more, bool has_sign)
{
    int64_t now = clock_mono_ns();
    int64_t silence_ms = (now - k->sign_mono_ns) / NS_PER_MS;
    int64_t gap_ms = has_more ? 1 : next_gap_ms(k, has_sign, silence_ms);
    if (!is_ok)
        gap_ms = k->gap_ms * 2 < FAILING_GAP_MS ? k->gap_ms * 2 : FAILING_GAP_MS;
    if (has_sign)
        k->sign_mono_ns = now;
    k->gap_ms = gap_ms > 0 ? gap_ms : 1;
    loop_watch(k->loop, LOOP_COMMIT, has_sign || has_more || !is_ok ? -1 : k->watch.fd);
    loop_set_timer(k->loop, LOOP_LOOK, gap_ms);
}

static bool has_sign_of_commit(const struct keeper *k)
{
    struct pollfd sign = {.fd = k->watch.fd, .events = POLLIN};
    return poll(&sign, 1, 0) > 0;
}

void chores_run(struct keeper *k)
{
    struct err err = {""};
    bool has_more = false;
    if (k->store == NULL)
        return;
    bool has_sign = has_sign_of_commit(k);
    k->chores_mono_ns = clock_mono_ns();
    watch_drain(&k->watch); /* before looking: what comes later is seen later */
    enum rc rc = admit_inbox(k, &has_more, &err);
    if (rc == RC_OK)
        rc = wake_due(k, &err);
    if (rc == RC_OK)
        rc = look_around(k, &err);
    if (rc == RC_OK)
        rc = checkpoint(k, &err);
    bool is_ok = chores_is_ok(k, rc, &err);
    if (is_ok)
        set_due_timer(k);
    else
        loop_set_timer(k->loop, LOOP_DUE, -1);
    plan_next_look(k, is_ok, has_more, has_sign);
}

void chores_tick(struct keeper *k)
{
    int64_t now = clock_mono_ns();
    bool is_due = k->next_due_wall_ms != 0 && clock_wall_ms() >= k->next_due_wall_ms;
    bool is_net = now - k->chores_mono_ns > SAFETY_NET_NS;
    bool is_slow_commit = now - k->sign_mono_ns < SLOW_COMMIT_NS;
    if (!k->is_failing && (is_due || is_net || is_slow_commit || is_checkpoint_due(k)))
        chores_run(k);
}
