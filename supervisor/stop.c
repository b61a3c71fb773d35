#include "supervisor/stop.h"

#include "common/base/clock.h"

#define CONFIRM_MS 1000  /* for a worker to be gone after its handlers are */
#define GIVE_UP_MS 30000 /* for the keeper to settle and finish */
#define QUIT_GIVE_UP_MS 10000

static void hasten(int64_t *deadline_mono_ns, int64_t to_mono_ns)
{
    if (*deadline_mono_ns == 0 || to_mono_ns < *deadline_mono_ns)
        *deadline_mono_ns = to_mono_ns;
}

/* How long before the end of the time handlers get TERM: their grace, but no more than a quarter of
 * a short time, so that what runs may finish. */
static int64_t lead_ms(int64_t shutdown_timeout_ms)
{
    return shutdown_timeout_ms / 4 < STOP_GRACE_MS ? shutdown_timeout_ms / 4 : STOP_GRACE_MS;
}

void stop_begin(
    struct stop *stop, enum stop_mode mode, int64_t now_mono_ns, int64_t shutdown_timeout_ms)
{
    int64_t now_in_ms = 0, kill_in_ms = 0, give_up_ms = GIVE_UP_MS;

    if (mode <= stop->mode)
        return;
    switch (mode) {
    case STOP_NOT:
        return;
    case STOP_GRACEFUL:
        now_in_ms = shutdown_timeout_ms - lead_ms(shutdown_timeout_ms);
        kill_in_ms = shutdown_timeout_ms + CONFIRM_MS;
        break;
    case STOP_NOW:
        kill_in_ms = STOP_GRACE_MS + CONFIRM_MS;
        break;
    case STOP_QUIT:
        kill_in_ms = CONFIRM_MS;
        give_up_ms = QUIT_GIVE_UP_MS;
        break;
    }
    stop->mode = mode;
    hasten(&stop->now_mono_ns, now_mono_ns + now_in_ms * NS_PER_MS);
    hasten(&stop->kill_mono_ns, now_mono_ns + kill_in_ms * NS_PER_MS);
    hasten(&stop->give_up_mono_ns, now_mono_ns + (kill_in_ms + give_up_ms) * NS_PER_MS);
}

enum stop_mode stop_next_mode(const struct stop *stop)
{
    return stop->mode == STOP_NOT ? STOP_GRACEFUL : STOP_NOW;
}

enum stop_act stop_take(struct stop *stop, int64_t now_mono_ns)
{
    if (stop->mode == STOP_NOT)
        return STOP_ACT_NONE;
    if (!stop->is_now_done && now_mono_ns >= stop->now_mono_ns) {
        stop->is_now_done = true;
        return STOP_ACT_NOW;
    }
    if (!stop->is_kill_done && now_mono_ns >= stop->kill_mono_ns) {
        stop->is_kill_done = true;
        return STOP_ACT_KILL;
    }
    if (!stop->is_given_up && now_mono_ns >= stop->give_up_mono_ns) {
        stop->is_given_up = true;
        return STOP_ACT_GIVE_UP;
    }
    return STOP_ACT_NONE;
}

int64_t stop_next_due(const struct stop *stop)
{
    if (stop->mode == STOP_NOT || stop->is_given_up)
        return 0;
    if (!stop->is_now_done)
        return stop->now_mono_ns;
    return stop->is_kill_done ? stop->give_up_mono_ns : stop->kill_mono_ns;
}
