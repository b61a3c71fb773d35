/* policy: every decision of the supervisor that needs a number: who is hung, how long a slot is
 * throttled, how many workers there should be. Pure: facts and the time in, decision out; it calls
 * no sibling. Carried out by judge.c, death.c and pool.c, in stintd only. */
#ifndef STINT_SUPERVISOR_POLICY_H
#define STINT_SUPERVISOR_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/heartbeat.h"

#define THROTTLE_FIRST_MS 100
#define THROTTLE_MAX_MS 30000
#define SHRINK_AFTER_MS 10000
#define OVERDUE_AFTER_MS 2000
#define CLOSED_AFTER_MS 1000
#define SLOW_DISK_PATIENCE 6 /* heartbeat timeouts, for processes that are not in state D */

struct policy_limits {
    int64_t heartbeat_timeout_ms, write_timeout_ms;
};

/* What is known of one living child. */
struct evidence {
    int64_t beat_mono_ns;     /* when the last beat was read, or the life began */
    int64_t closed_mono_ns;   /* end of file on its pipe; 0: open */
    int64_t deadline_mono_ns; /* announced by the last beat; 0: none */
    int64_t lock_mono_ns;     /* holds the write lock since; 0: does not */
    uint32_t state;           /* enum worker_state, unchecked */
    char proc_state;          /* of /proc/PID/stat; only looked at for suspects; 0: unknown */
    bool has_lock_strike;     /* was found with this same hold, too old, at the last look */
};

/* What is known of all of them. */
struct scene {
    int64_t now_mono_ns;
    int64_t judge_from_mono_ns; /* no deadline is older: the supervisor's last own stall, or 0 */
    int database_len;           /* children in state database … */
    int database_silent_len;    /* … and of these without a beat for heartbeat_timeout */
    bool is_lock_wanted;        /* somebody waits for the write lock */
};

enum fault {
    FAULT_NONE,
    FAULT_SILENT,    /* no beat for heartbeat_timeout */
    FAULT_CLOSED,    /* its pipe is closed, but it lives */
    FAULT_OVERDUE,   /* past the deadline that it announced */
    FAULT_LOCK,      /* sits on the write lock while others wait */
    FAULT_SLOW_DISK, /* silent, but so is everybody at the database: spared */
};

/* True when the loop stood still so long that nothing may be judged by old deadlines. */
bool policy_was_stalled(
    int64_t last_tick_mono_ns, int64_t now_mono_ns, const struct policy_limits *limits);
bool policy_is_silent(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits);
/* True when the process state must be looked at before policy_fault can decide. */
bool policy_is_suspect(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits);
bool policy_is_lock_too_old(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits);
enum fault policy_fault(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits);

/* status as wait(2). SIGKILL without proof of OOM is an operator's or a tester's: no throttle. */
bool policy_wants_throttle(bool was_ready, bool said_goodbye, int status, bool is_oom_proven);
int64_t policy_next_pause_ms(int64_t pause_ms);

/* How many workers the backlog asks for. */
int64_t policy_wanted(int64_t busy, int64_t backlog, int64_t min, int64_t max);

struct scale {
    int64_t target;
    int64_t surplus_since_mono_ns; /* 0: no surplus */
};
/* Moves the target: up at once, down after SHRINK_AFTER_MS of surplus. */
void policy_scale(struct scale *scale, int64_t wanted, int64_t max, int64_t now_mono_ns);

struct head_count {
    int64_t occupied; /* places that are not empty and not asked to retire */
    int64_t target;
    bool may_start; /* keeper ready, not stopping */
};
int64_t policy_refill(const struct head_count *h);
int64_t policy_surplus(const struct head_count *h);

#endif
