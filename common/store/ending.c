#include "common/store/ending.h"

#include <string.h>

#define STREAK_PATIENCE 4 /* from this interruption in a row on, the run waits */
#define STREAK_SUSPECT 2  /* from this one on, one of several in flight runs alone */
#define STREAK_BASE_MS 1000
#define STREAK_MAX_MS 60000
#define WAIT_LOOK_MS 30000 /* whether what a run waits for is at rest */

#define STATUS_NAME(upper, lower) [STATUS_##upper] = #lower,
static const char *const names[STATUS_COUNT] = {STAGE_STATUSES(STATUS_NAME)};
#undef STATUS_NAME

#define BIT(status) (1u << STATUS_##status)

/* What each may become: the table of DESIGN.md section 1, as bits. The database has the same. */
static const uint32_t next_of[STATUS_COUNT] = {
    [STATUS_BLOCKED] = BIT(PENDING) | BIT(FAILED) | BIT(SKIPPED) | BIT(CANCELLED) | BIT(HELD),
    [STATUS_PENDING] = BIT(IN_PROGRESS) | BIT(BLOCKED) | BIT(SKIPPED) | BIT(CANCELLED) | BIT(HELD),
    [STATUS_IN_PROGRESS] = BIT(DONE) | BIT(SKIPPED) | BIT(RETRY_LATER) | BIT(FAILED) |
                           BIT(EXHAUSTED) | BIT(BLOCKED) | BIT(PENDING) | BIT(HELD) |
                           BIT(CANCELLED),
    [STATUS_RETRY_LATER] =
        BIT(IN_PROGRESS) | BIT(PENDING) | BIT(BLOCKED) | BIT(SKIPPED) | BIT(CANCELLED) | BIT(HELD),
    [STATUS_HELD] = BIT(PENDING) | BIT(BLOCKED) | BIT(RETRY_LATER) | BIT(SKIPPED) | BIT(CANCELLED),
    [STATUS_DONE] = BIT(PENDING) | BIT(BLOCKED),
    [STATUS_SKIPPED] = BIT(PENDING) | BIT(BLOCKED),
    [STATUS_FAILED] = BIT(PENDING) | BIT(BLOCKED) | BIT(SKIPPED) | BIT(CANCELLED),
    [STATUS_EXHAUSTED] = BIT(PENDING) | BIT(BLOCKED) | BIT(SKIPPED) | BIT(CANCELLED),
    [STATUS_CANCELLED] = BIT(PENDING) | BIT(BLOCKED),
};

const char *status_name(enum stage_status status)
{
    return (unsigned)status < STATUS_COUNT ? names[status] : "unknown";
}

bool status_parse(const char *name, enum stage_status *ret)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum stage_status)i;
            return true;
        }
    }
    return false;
}

bool status_may_become(enum stage_status from, enum stage_status to)
{
    return (next_of[from] >> to & 1u) != 0;
}

bool status_is_moving(enum stage_status status)
{
    return status == STATUS_PENDING || status == STATUS_IN_PROGRESS || status == STATUS_RETRY_LATER;
}

int64_t retry_delay_ms(
    const struct stage_tuning *tuning, int64_t attempt, int64_t after_ms, uint64_t random)
{
    double delay = (double)tuning->backoff_base_ms;
    double max = (double)tuning->backoff_max_ms;
    for (int64_t i = 1; i < attempt && delay < max && tuning->backoff_factor > 1.0; i++)
        delay *= tuning->backoff_factor;
    if (delay > max)
        delay = max;
    double share = (double)(random >> 11) / (double)(UINT64_C(1) << 53); /* 0 .. < 1 */
    delay += delay * (double)tuning->jitter_pct / 100.0 * share;
    int64_t ms = (int64_t)delay;
    return ms > after_ms ? ms : after_ms;
}

static int64_t streak_delay_ms(int64_t streak)
{
    int64_t doublings = streak - STREAK_PATIENCE;
    if (doublings > 6) /* 64 s: over the maximum already */
        return STREAK_MAX_MS;
    int64_t ms = (int64_t)STREAK_BASE_MS << doublings;
    return ms < STREAK_MAX_MS ? ms : STREAK_MAX_MS;
}

static struct ending interrupted(const struct end_state *state, const struct stage_tuning *tuning)
{
    struct ending e = {.status = STATUS_PENDING,
        .attempts = state->attempts - 1,
        .interruptions = state->interruptions + 1,
        .streak = state->streak + 1,
        .is_suspect = state->is_suspect};
    /* Once may be anybody's; again, one of those that it is always with may be the one. */
    if (e.streak >= STREAK_SUSPECT && (tuning->batch > 1 || tuning->concurrency > 1))
        e.is_suspect = true;
    if (tuning->on_worker_death == ON_DEATH_FAIL) {
        e.status = STATUS_FAILED;
        e.attempts = state->attempts;
    } else if (e.streak >= STREAK_PATIENCE) {
        e.status = STATUS_RETRY_LATER;
        e.delay_ms = streak_delay_ms(e.streak);
    }
    return e;
}

/* One of those in flight did it; alone, it will be known. */
static struct ending crashed(const struct end_state *state)
{
    return (struct ending){.status = STATUS_PENDING,
        .attempts = state->attempts - 1,
        .interruptions = state->interruptions + 1,
        .streak = state->streak,
        .is_suspect = true};
}

static struct ending retried(const struct end_state *state, const struct stage_tuning *tuning,
    int64_t after_ms, uint64_t random)
{
    struct ending e = {.status = STATUS_EXHAUSTED,
        .attempts = state->attempts,
        .interruptions = state->interruptions};
    if (state->attempts < tuning->max_attempts) {
        e.status = STATUS_RETRY_LATER;
        e.delay_ms = retry_delay_ms(tuning, state->attempts, after_ms, random);
    }
    return e;
}

static struct ending snoozed(struct ending e, int64_t delay_ms)
{
    e.status = STATUS_RETRY_LATER;
    e.delay_ms = delay_ms;
    e.streak = 0; /* it came to its end */
    e.is_suspect = false;
    e.is_snooze = true;
    return e;
}

struct ending ending_decide(enum end_cause cause, const struct end_state *state,
    const struct stage_tuning *tuning, int64_t after_ms, uint64_t random)
{
    struct ending kept = {
        .status = STATUS_DONE, .attempts = state->attempts, .interruptions = state->interruptions};
    struct ending given_back = {.status = STATUS_PENDING,
        .attempts = state->attempts - 1,
        .interruptions = state->interruptions,
        .streak = state->streak,
        .is_suspect = state->is_suspect};
    struct ending e = kept;
    switch (cause) {
    case END_DONE:
        break;
    case END_SKIP:
        e.status = STATUS_SKIPPED;
        break;
    case END_FAIL:
        e.status = STATUS_FAILED;
        break;
    case END_RETRY:
        e = retried(state, tuning, after_ms, random);
        break;
    case END_STAGE_PAUSE:
        e = given_back;
        e.status = STATUS_RETRY_LATER; /* until the pause ends: the store knows when */
        break;
    case END_STOPPED:
        e = given_back;
        break;
    case END_INTERRUPTED:
        e = interrupted(state, tuning);
        break;
    case END_CRASHED:
        e = crashed(state);
        break;
    case END_SNOOZE:
        e = snoozed(given_back, after_ms >= 0 ? after_ms : tuning->backoff_base_ms);
        break;
    case END_WAIT:
        e = snoozed(given_back, WAIT_LOOK_MS);
        break;
    case END_CAUSE_COUNT:
        break;
    }
    if (e.attempts < 0)
        e.attempts = 0;
    return e;
}
