#include "worker/rooms.h"

#include "common/base/clock.h"

/* A resident that answers within microseconds gets some more than it works on, so that a commit is
 * shared by many; no more than it will have done within this time. */
#define AHEAD_NS (5 * NS_PER_MS)
#define AHEAD_MAX 128

static size_t at_once(size_t runs, const struct stage_tuning *tuning)
{
    const size_t max = (size_t)tuning->max_claim;
    return max > 0 && runs > max ? max : runs;
}

/* What a wait for a token costs is not known beforehand: of what is paced, nothing is claimed
 * ahead. */
static size_t ahead_of(const struct worker *w, const struct catalog_stage *stage)
{
    const struct resident *r = &w->resident;
    if (stage->spec->tuning.resources_len > 0 || stage->id != r->stage_id || r->run_ns == 0)
        return 0;
    int64_t ahead = AHEAD_NS / r->run_ns;
    return at_once((size_t)(ahead < AHEAD_MAX ? ahead : AHEAD_MAX), &stage->spec->tuning);
}

/* What could be sent at once: a call that waits for one of its items has no room for another. */
static size_t room_in_calls(const struct worker *w, const struct stage_tuning *tuning)
{
    const size_t calls = w->resident.calls.len, max = (size_t)tuning->concurrency;
    return calls < max ? (max - calls) * (size_t)tuning->batch : 0;
}

/* Ahead of a batch a part of one is no help: it would be sent as it is. */
static size_t whole_calls(size_t runs, const struct stage_tuning *tuning)
{
    return runs - runs % (size_t)tuning->batch;
}

static size_t free_room(const struct worker *w, const struct catalog_stage *stage, int64_t now)
{
    const struct deck *d = &w->deck;
    if (d->counts[ATTEMPT_CLAIMED] > 0) /* a suspect that waits, or a process that starts */
        return 0;
    if (!handler_is_resident(&stage->spec->handler))
        return deck_open(d) == 0 ? (size_t)stage_room(stage->spec) : 0;
    if (!resident_may_take(&w->resident, stage, now))
        return 0;
    const struct attempt *running = deck_first(d, ATTEMPT_RUNNING);
    if (running != NULL && (running->stage != stage || running->run.state.is_suspect))
        return 0;
    size_t ahead = ahead_of(w, stage), open = deck_open(d);
    if (ahead > (size_t)stage_room(stage->spec))
        return ahead > open ? whole_calls(ahead - open, &stage->spec->tuning) : 0;
    return running != NULL ? room_in_calls(w, &stage->spec->tuning)
                           : (size_t)stage_room(stage->spec);
}

static size_t room_of(const struct worker *w, const struct catalog_stage *stage, int64_t now)
{
    return at_once(free_room(w, stage, now), &stage->spec->tuning);
}

bool rooms_decide(struct worker *w)
{
    bool has_room = false;
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < w->stages_len; i++) {
        w->rooms[i] = (uint32_t)room_of(w, w->stages[i], now);
        has_room = has_room || w->rooms[i] > 0;
    }
    return has_room;
}
