#include "supervisor/children.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"

#define BEATS_A_DRAIN 2048 /* more than a pipe holds: a babbler cannot keep us here */

struct birth {
    const char *path;
    char *const *argv;
    int special_fd, special_to;
    _Atomic uint32_t *pid_word;
};

/* Forks and execs; on success the child has its pid, pipe and birthday. */
static enum rc give_birth(
    struct pool *pool, struct child *c, const struct birth *b, struct err *err)
{
    CLEANUP_FD int beat_read = -1;
    CLEANUP_FD int beat_write = -1;
    int beat[2];
    enum rc rc = sys_pipe(beat, true, err);

    if (rc != RC_OK)
        return rc;
    beat_read = beat[0];
    beat_write = beat[1];
    const struct spawn_fd fds[] = {
        {beat_write, FD_HEARTBEAT}, {pool->lifeline[0], FD_LIFELINE}, {pool->mem_fd, FD_POOL},
        {pool->config_fd, FD_CONFIG}, {pool->lock_fd, FD_LOCK}, {b->special_fd, b->special_to},
        {log_target_child_fd(), STDERR_FILENO},
        {pool->live_fd, FD_LIVE}, /* last: not for the keeper */
    };
    const struct spawn_opts opts = {
        .path = b->path,
        .argv = b->argv,
        .fds = fds,
        .fds_len = sizeof fds / sizeof fds[0] - child_is_keeper(c),
        .is_new_session = true,
        .parent_death_signal = SIGKILL,
        .umask = -1,
        .cgroup_fd = child_is_keeper(c) ? -1 : pool->cgroup.procs_fd,
        .pid_word = b->pid_word,
    };
    CRASH_POINT("spawn.before");
    rc = spawn(&opts, &c->pid, NULL, err);
    if (rc != RC_OK) {
        c->pid = 0;
        return rc;
    }
    CRASH_POINT("spawn.after");
    c->beat_fd = TAKE_FD(beat_read);
    c->spawned_mono_ns = c->beat_mono_ns = clock_mono_ns();
    return RC_OK;
}

static void report_failure(struct pool *pool, struct child *c, const struct err *err)
{
    log_msg(LOG_LEVEL_ERROR, child_is_keeper(c) ? "keeper.start_failed" : "worker.start_failed",
        "%s", err->text);
    pool_event(pool, c, EVENT_SPAWN_FAILED);
}

void children_start_keeper(struct pool *pool)
{
    struct child *c = pool_keeper(pool);
    char name[] = "stint-keeper";
    char *const argv[] = {name, NULL};
    int pair[2];
    struct err err;
    enum rc rc;

    child_reset(c);
    rc = sys_seqpacket_pair(pair, &err);
    if (rc == RC_OK) {
        const struct birth b = {pool->keeper_path, argv, pair[1], FD_ORDERS, NULL};

        rc = give_birth(pool, c, &b, &err);
        (void)close(pair[1]);
        if (rc == RC_OK)
            link_attach(pool, pair[0]);
        else
            (void)close(pair[0]);
    }
    if (rc != RC_OK) {
        report_failure(pool, c, &err);
        return;
    }
    pool_event(pool, c, EVENT_SPAWNED);
}

/* The words that the worker of a new life will own must not be the last one's. */
static void reset_slot(struct slot *slot, int64_t life)
{
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->order, SLOT_ORDER_NONE);
    atomic_store(&slot->state, WORKER_STARTING);
    atomic_store(&slot->handler_pid, 0);
    atomic_store(&slot->claim, 0);
    atomic_store(&slot->runs, 0);
    atomic_store(&slot->begun, 0);
    atomic_store(&slot->reached, 0);
    atomic_store(&slot->has_room, 0);
    atomic_store(&slot->since_wall_ms, clock_wall_ms());
    atomic_store(&slot->lock_mono_ns, 0);
    atomic_store(&slot->waits_mono_ns, 0);
    atomic_store(&slot->life, life); /* last: pairs with everyone's first load of a slot */
}

bool children_start_worker(struct pool *pool, struct child *c)
{
    struct slot *slot = pool_slot(pool, c);
    char name[] = "stint-worker", slot_text[16], life_text[24];
    char *const argv[] = {name, slot_text, life_text, NULL};
    int64_t life = lives_take(&pool->lives);
    struct err err;
    enum rc rc;

    if (life == 0)
        return false;
    child_reset(c);
    c->life = life;
    (void)snprintf(slot_text, sizeof slot_text, "%" PRIu32, c->slot);
    (void)snprintf(life_text, sizeof life_text, "%" PRId64, life);
    reset_slot(slot, life);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = c->wake_fd < 0 ? err_sys(&err, errno, "cannot make an eventfd") : RC_OK;
    if (rc == RC_OK) {
        const struct birth b = {pool->worker_path, argv, c->wake_fd, FD_WAKE, &slot->pid};

        rc = give_birth(pool, c, &b, &err);
    }
    if (rc != RC_OK) {
        atomic_store(&slot->life, 0);
        atomic_store(&slot->pid, 0);
        children_close(c);
        report_failure(pool, c, &err);
        return true;
    }
    pool_event(pool, c, EVENT_SPAWNED);
    return true;
}

/* An unreaped child keeps its pid, so opening the pidfd by pid cannot hit a stranger; neither can
 * the plain kill, for when no descriptor is left. */
void children_kill(const struct child *c)
{
    CLEANUP_FD int pidfd = child_is_alive(c) ? sys_pidfd_open(c->pid) : -1;

    if (pidfd >= 0)
        (void)sys_pidfd_signal(pidfd, SIGKILL);
    else if (child_is_alive(c))
        (void)kill(c->pid, SIGKILL);
}

static void take_beat(struct pool *pool, struct child *c, const struct heartbeat *beat)
{
    if (beat->slot != c->slot || (!child_is_keeper(c) && beat->life != c->life)) {
        c->nonsense_count++;
        return;
    }
    c->beat = *beat;
    c->beat_mono_ns = clock_mono_ns();
    if (beat->has_work != 0)
        pool_kick(pool);
    if (beat->is_goodbye != 0) {
        c->said_goodbye = true;
        pool_event(pool, c, EVENT_GOODBYE);
    } else if (beat->is_ready != 0 && !c->was_ready && !child_is_keeper(c)) {
        pool_event(pool, c, EVENT_READY);
    }
}

void children_drain(struct pool *pool, struct child *c)
{
    struct heartbeat beat;

    if (c->beat_fd < 0 || c->closed_mono_ns != 0)
        return;
    for (int i = 0; i < BEATS_A_DRAIN; i++) {
        int n = heartbeat_receive(c->beat_fd, &beat);

        if (n == 0)
            return;
        if (n == -1) {
            c->closed_mono_ns = clock_mono_ns();
            return;
        }
        if (n == -2)
            c->nonsense_count++;
        else
            take_beat(pool, c, &beat);
    }
}

void children_close(struct child *c)
{
    if (c->beat_fd >= 0)
        (void)close(c->beat_fd);
    if (c->wake_fd >= 0)
        (void)close(c->wake_fd);
    c->beat_fd = c->wake_fd = -1;
}
