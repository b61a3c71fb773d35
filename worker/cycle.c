#include "worker/cycle.h"

#include <malloc.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "worker/accepted.h"
#include "worker/handler_builtin.h"
#include "worker/handler_exec.h"
#include "worker/resident_loop.h"
#include "worker/rooms.h"
#include "worker/trade.h"

#define LOOK_INTERVAL_NS (30 * NS_PER_S) /* nobody should need it: every change is woken */

/* Outcomes of so many bytes are not kept for the next exchange. */
#define LARGE_BYTES ((size_t)64 * 1024)

static bool is_builtin(const struct handler *handler)
{
    return handler->kind == HANDLER_BUILTIN && handler->builtin != BUILTIN_DISCOVER;
}

static void run_it(struct worker *w, struct call *call)
{
    const struct catalog_stage *stage = call->items[0]->stage;
    if (stage == NULL || life_is_told_to_leave(&w->life)) {
        for (size_t i = 0; i < call->len; i++) /* looked at again before it starts: given back */
            attempt_conclude(call->items[i], END_STOPPED);
    } else if (stage->spec->handler.kind == HANDLER_BUILTIN) {
        handler_builtin_run(w, call->items[0]);
    } else {
        char *const *argv = stage->spec->handler.argv;
        const struct command command = {argv[0], argv, w->handler_umask, -1};
        handler_exec_run(w, call, &command);
    }
}

/* The next call from its start to its end: nothing else is in flight. */
static void run_call(struct worker *w, const struct catalog_stage *stage)
{
    struct call call = {.id = 0};
    const size_t max = stage != NULL ? (size_t)stage_batch(stage->spec) : 1;
    call.items = deck_start_call(&w->deck, max, &call.len);
    call.id = call.items[0]->run.id;
    call.is_quick = rooms_is_quick(w, stage);
    life_reach(&w->life, call_last_claim(&call));
    life_mark(&w->life, WORKER_RUNNING, call.items[0]->run.claim);
    life_hold(&w->life, deck_open(&w->deck), call.items[0]->run.claim - 1);
    run_it(w, &call);
    for (size_t i = 0; i < call.len; i++)
        deck_concluded(&w->deck, call.items[i]);
    rooms_measure(w, &call);
    if (call.items[0]->outcome.cause == END_STAGE_PAUSE)
        deck_give_back(&w->deck);
    free(call.items);
    CRASH_POINT("worker.handler_ended");
}

static bool is_in_turn(const struct attempt *a)
{
    return a->stage == NULL || !handler_is_resident(&a->stage->spec->handler);
}

/* What was claimed ahead begins without an exchange between. The outcomes before it may have waited
 * long enough, or be large. */
static bool goes_on(const struct worker *w)
{
    const struct deck *d = &w->deck;
    const struct attempt *next = deck_first(d, ATTEMPT_CLAIMED);
    size_t bytes = 0;
    for (size_t i = 0; i < d->len; i++)
        bytes += d->list[i]->result.len;
    return next != NULL && is_in_turn(next) && d->counts[ATTEMPT_CONCLUDED] > 0 &&
           bytes < LARGE_BYTES && clock_mono_ns() - d->concluded_mono_ns < ROOMS_WAIT_NS;
}

/* Looked at once more before it begins, as its outcome will be only later. */
static bool is_called_off(const struct worker *w)
{
    return w->deck.counts[ATTEMPT_CONCLUDED] > 0 && (life_is_called() || !life_may_claim(&w->life));
}

/* Everything that is open is of one lane. */
static void work(struct worker *w, uint32_t seen)
{
    struct attempt *a = deck_first(&w->deck, ATTEMPT_CLAIMED);
    if (a != NULL && is_in_turn(a) && is_called_off(w)) {
        deck_give_back(&w->deck);
        return;
    }
    if (a != NULL)
        CRASH_POINT("worker.claimed");
    if (a == NULL || (a->stage != NULL && handler_is_resident(&a->stage->spec->handler))) {
        resident_work(w, seen);
        return;
    }
    if (a->stage != NULL && !is_builtin(&a->stage->spec->handler))
        resident_stop(w); /* what is swept away after a handler must not be another's */
    run_call(w, a->stage);
}

/* When somebody who is idle looks again by himself. */
static int64_t next_look(const struct worker *w)
{
    int64_t now = clock_mono_ns(), look = now + LOOK_INTERVAL_NS;
    int64_t throttled_until = w->resident.throttled_until_mono_ns;
    return throttled_until > now && throttled_until < look ? throttled_until : look;
}

/* Until somebody says that there may be work, or a token that work waits for is due. A beat between
 * costs no look at the database. */
static void idle(struct worker *w, uint32_t seen)
{
    int64_t look = next_look(w);
    life_hold(&w->life, 0, life_last_claim(&w->life));
    life_enter(&w->life, WORKER_IDLE, 0, 0);
    (void)malloc_trim(0);
    while (atomic_load(&w->life.mem->wake) == seen && clock_mono_ns() < look &&
           !tokens_are_due(&w->tokens)) {
        if (w->tokens.is_paced)
            tokens_sleep(&w->tokens, &w->life, seen, look);
        else
            life_sleep(&w->life, seen, look);
        resident_look(w);
    }
}

void cycle_run_deck(struct worker *w)
{
    while (deck_open(&w->deck) > 0)
        work(w, atomic_load(&w->life.mem->wake));
    resident_stop(w);
}

enum rc cycle_run(struct worker *w, struct err *err)
{
    enum rc rc;
    for (;;) {
        uint32_t seen = atomic_load(&w->life.mem->wake); /* before the look that may find nothing */
        bool is_open = false;
        accepted_renew(w);
        rc = goes_on(w) ? RC_OK : trade(w, &is_open, err);
        if (rc != RC_OK)
            break;
        life_ready(&w->life);
        if (deck_open(&w->deck) > 0)
            work(w, seen);
        else if (w->deck.len == 0 && life_is_leaving(&w->life))
            break;
        else if (w->deck.len == 0 &&
                 !is_open) /* else wish anew: a repeated wish that got nothing
                            * was no look, and work for which we had tokens went to another */
            idle(w, seen);
    }
    resident_stop(w);
    deck_fini(&w->deck);
    resident_fini(&w->resident);
    return rc;
}
