#include "worker/rooms.h"

#include <string.h>

#include "common/base/clock.h"

/* A resident that answers within microseconds gets some more than it works on, so that a commit is
 * shared by many; no more than it will have done within this time. */
#define AHEAD_NS (5 * NS_PER_MS)
#define AHEAD_MAX 128
#define BYTE_NS 100
#define QUICK_NS (5 * NS_PER_MS)
#define EXCHANGE_PART 20 /* an exchange may be a twentieth of the work */

static size_t at_once(size_t runs, const struct stage_tuning *tuning)
{
    const size_t max = (size_t)tuning->max_claim;
    return max > 0 && runs > max ? max : runs;
}

/* What a wait for a token costs is not known beforehand: of what is paced, nothing is claimed
 * ahead. */
static size_t done_within(const struct catalog_stage *stage, int64_t ns, int64_t run_ns)
{
    if (stage->spec->tuning.resources_len > 0 || run_ns == 0)
        return 0;
    int64_t ahead = ns / run_ns;
    return at_once((size_t)(ahead < AHEAD_MAX ? ahead : AHEAD_MAX), &stage->spec->tuning);
}

static size_t ahead_of(const struct worker *w, const struct catalog_stage *stage)
{
    const struct resident *r = &w->resident;
    return stage->id == r->stage_id ? done_within(stage, AHEAD_NS, r->run_ns) : 0;
}

/* Ahead of a batch a part of one is no help: it would be sent as it is. */
static size_t whole_calls(size_t runs, const struct stage_spec *stage)
{
    return runs - runs % (size_t)stage_batch(stage);
}

/* One after the other. */
static size_t room_in_turn(const struct worker *w, size_t i)
{
    const struct pace *pace = &w->paces[i];
    size_t ahead = done_within(w->stages[i], ROOMS_TURN_NS, pace->run_ns);
    size_t enough =
        pace->work_ns > 0 ? (size_t)(w->exchange_ns * EXCHANGE_PART / pace->work_ns) : 0;
    ahead = whole_calls(ahead < enough ? ahead : enough, w->stages[i]->spec);
    const size_t room = (size_t)stage_room(w->stages[i]->spec);
    return deck_open(&w->deck) > 0 ? 0 : ahead > room ? ahead : room;
}

/* What could be sent at once: a call that waits for one of its items has no room for another. */
static size_t room_in_calls(const struct worker *w, const struct stage_tuning *tuning)
{
    const size_t calls = w->resident.calls.len, max = (size_t)tuning->concurrency;
    return calls < max ? (max - calls) * (size_t)tuning->batch : 0;
}

static size_t free_room(const struct worker *w, size_t i, int64_t now)
{
    const struct deck *d = &w->deck;
    const struct catalog_stage *stage = w->stages[i];
    if (d->counts[ATTEMPT_CLAIMED] > 0) /* a suspect that waits, or a process that starts */
        return 0;
    if (!handler_is_resident(&stage->spec->handler))
        return room_in_turn(w, i);
    if (!resident_may_take(&w->resident, stage, now))
        return 0;
    const struct attempt *running = deck_first(d, ATTEMPT_RUNNING);
    if (running != NULL && (running->stage != stage || running->run.state.is_suspect))
        return 0;
    size_t ahead = ahead_of(w, stage), open = deck_open(d);
    if (ahead > (size_t)stage_room(stage->spec))
        return ahead > open ? whole_calls(ahead - open, stage->spec) : 0;
    return running != NULL ? room_in_calls(w, &stage->spec->tuning)
                           : (size_t)stage_room(stage->spec);
}

static size_t room_of(const struct worker *w, size_t i, int64_t now)
{
    return at_once(free_room(w, i, now), &w->stages[i]->spec->tuning);
}

int64_t rooms_hand_over_due(const struct worker *w, int64_t began_mono_ns)
{
    const struct deck *d = &w->deck;
    int64_t at = d->concluded_mono_ns != 0 ? d->concluded_mono_ns + ROOMS_WAIT_NS : 0;
    int64_t ahead = began_mono_ns + ROOMS_TURN_NS;
    if (d->counts[ATTEMPT_CLAIMED] > 0 && (at == 0 || ahead < at))
        at = ahead;
    return w->trial == NULL ? at : 0;
}

/* A large one counts as a slow one: what is claimed ahead is kept in memory. */
static int64_t bytes_ns(const struct attempt *a)
{
    size_t bytes = a->result.len + (a->run.data != NULL ? strlen(a->run.data) : 0) +
                   (a->run.inputs != NULL ? strlen(a->run.inputs) : 0);
    return (int64_t)bytes * BYTE_NS;
}

static int64_t processor_ns(const struct rusage *u)
{
    return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * NS_PER_S +
           (u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000;
}

/* One that had to wait for a processor says little about the next. */
static void follow(int64_t *ns, int64_t took)
{
    *ns += (took - *ns) / (*ns == 0 ? 1 : 8);
}

void rooms_measure(struct worker *w, const struct call *call)
{
    const struct attempt *lead = call->items[0];
    const int64_t len = (int64_t)call->len, used = processor_ns(&lead->usage);
    const int64_t took = clock_mono_ns() - lead->started_mono_ns;
    for (size_t i = 0; i < w->stages_len; i++) {
        if (w->stages[i] != lead->stage)
            continue;
        follow(&w->paces[i].run_ns, took / len + bytes_ns(lead));
        follow(&w->paces[i].work_ns, (used > 0 && used < took ? used : took) / len);
    }
}

bool rooms_is_quick(const struct worker *w, const struct catalog_stage *stage)
{
    for (size_t i = 0; i < w->stages_len; i++) {
        if (w->stages[i] == stage)
            return w->paces[i].run_ns > 0 && w->paces[i].run_ns < QUICK_NS;
    }
    return false;
}

void rooms_measure_exchange(struct worker *w, int64_t took_ns)
{
    follow(&w->exchange_ns, took_ns);
}

bool rooms_decide(struct worker *w)
{
    bool has_room = false;
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < w->stages_len; i++) {
        w->rooms[i] = (uint32_t)room_of(w, i, now);
        has_room = has_room || w->rooms[i] > 0;
    }
    return has_room;
}
