/* pool: the whole state of a supervisor, and the small acts that change it: an event for a child, a
 * flag for the workers, a wish to stop. What follows from a change is worked out by review.c. In
 * stintd only; never allocates once the loop runs. */
#ifndef STINT_SUPERVISOR_POOL_H
#define STINT_SUPERVISOR_POOL_H

#include "common/config/config.h"
#include "common/ipc/config_box.h"
#include "common/ipc/pool_mem.h"
#include "supervisor/cgroup.h"
#include "supervisor/foreign_lock.h"
#include "supervisor/keeper_link.h"
#include "supervisor/lives.h"
#include "supervisor/loop.h"
#include "supervisor/notify.h"
#include "supervisor/oom.h"
#include "supervisor/policy.h"
#include "supervisor/reload.h"
#include "supervisor/slots.h"
#include "supervisor/stop.h"

#define CHILDREN_MAX (POOL_SLOTS_MAX + 1)
#define KEEPER_INDEX 0 /* children[0]; the worker of slot N is children[N + 1] */

struct pool {
    /* Fixed from the start (start.c). */
    struct config *config; /* in force; a reload puts another in its place */
    char *config_path;     /* absolute: what a reload reads */
    char *keeper_path, *worker_path;
    struct pool_mem *mem;
    int lock_fd, mem_fd, config_fd, live_fd;
    int lifeline[2];        /* children hold the read end; nothing is ever written */
    struct config_box *box; /* what children read: the same, packed */
    int64_t started_wall_ms;
    int64_t asked_min, asked_max; /* workers by the command line, which goes first; 0: none */
    bool is_drain;
    enum log_level log_level;
    struct policy_limits limits;

    /* What the loop changes. */
    struct reload reload;
    struct loop *loop;
    struct child children[CHILDREN_MAX];
    int children_used; /* all in use lie before this index */
    struct lives lives;
    struct keeper_link link;
    struct stop stop;
    struct scale scale;
    struct foreign_lock foreign;
    struct oom oom;
    struct cgroup cgroup; /* of the workers and their handlers */
    struct notify notify; /* init, if it wants to know */
    int64_t workers_min, workers_max;
    int64_t last_tick_mono_ns, judge_from_mono_ns;
    bool is_suspended, is_disk_slow, is_over, is_announced;
    bool is_lost; /* the database: lost.c */
    int exit_code;
};

/* Everything in its rest state; descriptors −1. */
void pool_init(struct pool *pool);

static inline struct child *pool_keeper(struct pool *pool)
{
    return &pool->children[KEEPER_INDEX];
}
struct child *pool_find_pid(struct pool *pool, pid_t pid);     /* or NULL */
struct child *pool_find_life(struct pool *pool, int64_t life); /* a worker; or NULL */
/* The shared slot of a worker. */
static inline struct slot *pool_slot(const struct pool *pool, const struct child *c)
{
    return &pool->mem->slots[c->slot];
}

/* An event for a child: steps its machine and does what the step asks for. */
void pool_event(struct pool *pool, struct child *c, enum child_event event);
/* SIGKILL for a child, with the reason for its certificate. */
void pool_condemn(struct pool *pool, struct child *c, enum death_verdict verdict,
    enum settle_cause cause, const char *reason);

/* Flags and orders for the workers: the words, then a wake for everyone. */
void pool_set_flag(struct pool *pool, enum pool_flag flag, bool is_on);
void pool_notify(struct pool *pool);
/* Workers that run something look at once whether their claim is still theirs. */
void pool_look(struct pool *pool);
/* There may be work for those who have room while they run something. */
void pool_kick(struct pool *pool);

void pool_stop(struct pool *pool, enum stop_mode mode, const char *why);
void pool_suspend(struct pool *pool, bool is_on);
void pool_resize(struct pool *pool, int by);
int pool_workers_alive(const struct pool *pool);
int pool_workers_busy(const struct pool *pool);
bool pool_is_idle(const struct pool *pool, const struct child *worker);
const char *pool_state_name(const struct pool *pool);
void pool_dump(struct pool *pool);       /* its state to the log */
void pool_reopen_log(struct pool *pool); /* here, and then in every child */
void pool_tell_init(struct pool *pool);  /* from the tick: status and sign of life */

#endif
