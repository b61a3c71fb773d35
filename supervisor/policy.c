#include "supervisor/policy.h"

#include <signal.h>
#include <sys/wait.h>

#include "common/base/clock.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Milliseconds since `since`, but never since before the last amnesty. A time in the future (these
 * words come from other processes) is no time at all. */
static int64_t age_ms(int64_t since_mono_ns, const struct scene *s)
{
    int64_t age_ns = s->now_mono_ns - later(since_mono_ns, s->judge_from_mono_ns);

    return since_mono_ns > s->now_mono_ns || age_ns < 0 ? 0 : age_ns / NS_PER_MS;
}

bool policy_was_stalled(
    int64_t last_tick_mono_ns, int64_t now_mono_ns, const struct policy_limits *limits)
{
    return last_tick_mono_ns != 0 &&
           now_mono_ns - last_tick_mono_ns > limits->heartbeat_timeout_ms * NS_PER_MS / 2;
}

bool policy_is_silent(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits)
{
    return age_ms(e->beat_mono_ns, s) >= limits->heartbeat_timeout_ms;
}

bool policy_is_lock_too_old(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits)
{
    return s->is_lock_wanted && e->lock_mono_ns > 0 &&
           age_ms(e->lock_mono_ns, s) >= limits->write_timeout_ms;
}

bool policy_is_suspect(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits)
{
    return policy_is_silent(e, s, limits) || policy_is_lock_too_old(e, s, limits);
}

/* Everybody at the database fell silent at once. Who is stopped (T) is not waiting for a disk; who
 * is alone must be seen waiting (D); and who is not in D has patience with it for a while only. */
static bool is_disk_slow(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits)
{
    if (e->state != WORKER_DATABASE || s->database_silent_len < s->database_len)
        return false;
    if (e->proc_state == 'D')
        return true;
    return s->database_len >= 2 && e->proc_state != 'T' && e->proc_state != 't' &&
           age_ms(e->beat_mono_ns, s) < SLOW_DISK_PATIENCE * limits->heartbeat_timeout_ms;
}

/* The announced deadline counts only once a beat read after it still bears it: newer beats may
 * have been dropped by a full pipe. */
static bool is_overdue(const struct evidence *e, const struct scene *s)
{
    return e->deadline_mono_ns > 0 && e->beat_mono_ns > e->deadline_mono_ns &&
           age_ms(e->deadline_mono_ns, s) >= OVERDUE_AFTER_MS;
}

enum fault policy_fault(
    const struct evidence *e, const struct scene *s, const struct policy_limits *limits)
{
    if (policy_is_silent(e, s, limits))
        return is_disk_slow(e, s, limits) ? FAULT_SLOW_DISK : FAULT_SILENT;
    if (e->closed_mono_ns > 0 && age_ms(e->closed_mono_ns, s) >= CLOSED_AFTER_MS)
        return FAULT_CLOSED;
    if (is_overdue(e, s))
        return FAULT_OVERDUE;
    if (policy_is_lock_too_old(e, s, limits) && e->has_lock_strike && e->proc_state != 'D')
        return FAULT_LOCK;
    return FAULT_NONE;
}

bool policy_wants_throttle(bool was_ready, bool said_goodbye, int status, bool is_oom_proven)
{
    if (was_ready || said_goodbye)
        return false;
    return !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || is_oom_proven;
}

int64_t policy_next_pause_ms(int64_t pause_ms)
{
    if (pause_ms < THROTTLE_FIRST_MS)
        return THROTTLE_FIRST_MS;
    return pause_ms >= THROTTLE_MAX_MS / 2 ? THROTTLE_MAX_MS : pause_ms * 2;
}

int64_t policy_wanted(int64_t busy, int64_t backlog, int64_t min, int64_t max)
{
    int64_t wanted;

    if (backlog < 0 || backlog > max)
        backlog = backlog < 0 ? 0 : max;
    wanted = busy + backlog;
    return wanted < min ? min : wanted > max ? max : wanted;
}

void policy_scale(struct scale *scale, int64_t wanted, int64_t max, int64_t now_mono_ns)
{
    if (scale->target > max)
        scale->target = max;
    if (wanted >= scale->target) {
        scale->target = wanted;
        scale->surplus_since_mono_ns = 0;
    } else if (scale->surplus_since_mono_ns == 0) {
        scale->surplus_since_mono_ns = now_mono_ns;
    } else if (now_mono_ns - scale->surplus_since_mono_ns >= SHRINK_AFTER_MS * NS_PER_MS) {
        scale->target = wanted;
        scale->surplus_since_mono_ns = 0;
    }
}

int64_t policy_refill(const struct head_count *h)
{
    return h->may_start && h->occupied < h->target ? h->target - h->occupied : 0;
}

int64_t policy_surplus(const struct head_count *h)
{
    return h->occupied > h->target ? h->occupied - h->target : 0;
}
