#include "worker/resident_loop.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/proctree.h"
#include "common/ipc/fds.h"
#include "worker/resident_talk.h"
#include "worker/rooms.h"

#define FLUSH_NS (5 * NS_PER_MS)  /* no outcome waits longer for others */
#define AHEAD_NS (50 * NS_PER_MS) /* nor what was claimed ahead for a run that lasts */

/* One stay in the loop. */
struct stay {
    struct worker *w;
    uint32_t seen;  /* of the pool's wake word */
    bool is_stop;   /* until the process is gone, not until an exchange makes sense */
    bool has_told;  /* that there is room */
    bool is_kicked; /* there may be work for those who have room */
    int64_t armed_mono_ns;
};

static const struct catalog_stage *stage_of(const struct worker *w)
{
    return catalog_stage(w->catalog, w->resident.stage_id);
}

/* ---- when to go on ---- */

static bool has_room(struct worker *w)
{
    return life_may_claim(&w->life) && rooms_decide(w);
}

static bool wants_exchange(struct stay *s)
{
    const struct deck *d = &s->w->deck;
    if (deck_open(d) == 0)
        return true;
    if (d->counts[ATTEMPT_CONCLUDED] > 0)
        return d->counts[ATTEMPT_CLAIMED] == 0 ||
               clock_mono_ns() - d->concluded_mono_ns >= FLUSH_NS;
    if (!s->is_kicked && !s->w->has_more && atomic_load(&s->w->life.mem->wake) == s->seen &&
        !tokens_are_due(&s->w->tokens))
        return false;
    s->is_kicked = false;
    return has_room(s->w);
}

static bool is_over(struct stay *s)
{
    const struct resident *r = &s->w->resident;
    if (s->is_stop)
        return r->state == RESIDENT_NONE;
    return wants_exchange(s);
}

/* ---- what is due ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

static bool waits_behind(const struct worker *w)
{
    const struct attempt *next = deck_first(&w->deck, ATTEMPT_CLAIMED);
    return next != NULL && !next->run.state.is_suspect && w->resident.calls.len > 0;
}

static int64_t next_due(const struct stay *s)
{
    const struct worker *w = s->w;
    const struct resident *r = &w->resident;
    const struct call *call = calls_first_due(&r->calls);
    int64_t at = earlier(r->until_mono_ns, call != NULL ? call->due_mono_ns : 0);
    if (s->is_stop)
        return at;
    if (w->tokens.is_paced)
        at = earlier(at, tokens_due_mono_ns(&w->tokens, &w->life));
    if (w->deck.concluded_mono_ns != 0)
        at = earlier(at, w->deck.concluded_mono_ns + FLUSH_NS);
    if (waits_behind(w))
        at = earlier(at, r->calls.list[0].begun_mono_ns + AHEAD_NS);
    return at;
}

/* What the supervisor may count on: later than this, something is wrong with us. */
static int64_t deadline(const struct worker *w)
{
    const struct resident *r = &w->resident;
    const struct call *call = calls_first_due(&r->calls);
    int64_t at = earlier(r->until_mono_ns, call != NULL ? call->due_mono_ns : 0);
    int64_t grace_ms = stage_of(w) != NULL ? stage_of(w)->spec->tuning.grace_ms : 0;
    return at == 0 || r->state == RESIDENT_SWEEPING ? 0 : at + 3 * grace_ms * NS_PER_MS;
}

static void arm(struct stay *s)
{
    int64_t at = next_due(s);
    if (at == 0 || (s->armed_mono_ns != 0 && s->armed_mono_ns <= at))
        return;
    s->armed_mono_ns = at;
    loop_set_timer(s->w->loop, LOOP_LIMIT, at);
}

/* A run was cancelled, or its time is over: it gets the grace to answer, then all of it ends. */
static void look_at_calls(struct worker *w, int64_t now)
{
    struct call *call;
    while ((call = calls_first_due(&w->resident.calls)) != NULL && call->due_mono_ns <= now) {
        if (call->is_cancelled) {
            resident_kill(w, "ended with a run that was to be given up, and did not answer");
            return;
        }
        resident_cancel(w, call, CUT_TIMEOUT);
    }
}

static void look_at_state(struct worker *w, int64_t now)
{
    struct resident *r = &w->resident;
    if (r->until_mono_ns == 0 || now < r->until_mono_ns)
        return;
    switch (r->state) {
    case RESIDENT_STARTING:
        resident_refuse(w, "it said no hello within start_timeout");
        break;
    case RESIDENT_LEAVING:
        resident_terminate(w);
        break;
    case RESIDENT_TERMED:
    case RESIDENT_SWEEPING:
        resident_sweep(w);
        break;
    case RESIDENT_READY:
    case RESIDENT_NONE:
        break;
    }
}

static void look_at_ahead(struct worker *w, int64_t now)
{
    struct resident *r = &w->resident;
    if (!waits_behind(w) || now < r->calls.list[0].begun_mono_ns + AHEAD_NS)
        return;
    r->run_ns = AHEAD_NS;
    deck_give_back(&w->deck);
}

/* ---- events ---- */

static void on_limit(struct stay *s)
{
    int64_t now = clock_mono_ns();
    s->armed_mono_ns = 0;
    look_at_state(s->w, now);
    look_at_calls(s->w, now);
    if (!s->is_stop)
        look_at_ahead(s->w, now);
}

static bool is_all_cut(const struct call *call)
{
    for (size_t i = 0; i < call->len; i++)
        if (call->items[i] != NULL && call->items[i]->cut == CUT_NONE)
            return false;
    return true;
}

/* Somebody may have taken claims away: which, the database knows. */
static void look_at_claims(struct worker *w)
{
    struct calls *c = &w->resident.calls;
    for (size_t i = 0; w->trial == NULL && i < c->len; i++) {
        struct call *call = &c->list[i];
        for (size_t k = 0; k < call->len; k++) {
            struct attempt *a = call->items[k];
            bool is_mine = true;
            if (a != NULL && a->cut != CUT_LOST &&
                store_claim_is_mine(w->store, &a->run, &is_mine, NULL) == RC_OK && !is_mine)
                a->cut = CUT_LOST;
        }
        if (is_all_cut(call))
            resident_cancel(w, call, CUT_NONE);
    }
}

static void cancel_all(struct worker *w)
{
    struct calls *c = &w->resident.calls;
    for (size_t i = 0; i < c->len; i++)
        resident_cancel(w, &c->list[i], CUT_STOPPED);
}

static void on_wake(struct stay *s)
{
    uint64_t count = 0;
    (void)read(FD_WAKE, &count, sizeof(count));
    s->is_kicked = true;
    if (count < WAKE_ORDER)
        return;
    deck_give_back(&s->w->deck); /* it may be paused, or taken away */
    if (life_is_stopped_now(&s->w->life))
        cancel_all(s->w);
    look_at_claims(s->w);
}

static void on_lifeline(struct stay *s)
{
    (void)s;
    life_orphaned();
}

static void on_child(struct stay *s)
{
    struct signalfd_siginfo info[8];
    (void)read(s->w->child_fd, info, sizeof(info));
    resident_reap(s->w);
}

static void look_at_memory(struct worker *w)
{
    struct resident *r = &w->resident;
    int64_t max = stage_of(w) != NULL ? stage_of(w)->spec->tuning.max_memory_bytes : 0;
    if (max > 0 && r->state == RESIDENT_READY && proctree_memory(r->pid) > max)
        r->wants_recycling = true;
}

static void on_beat(struct stay *s)
{
    life_tick(&s->w->life);
    look_at_claims(s->w);
    look_at_memory(s->w);
    s->is_kicked = true; /* nobody should need it */
    loop_set_timer(s->w->loop, LOOP_BEAT, s->w->life.beat_due_mono_ns);
}

static void on_stdin(struct stay *s)
{
    resident_flush(s->w);
}

static void on_stdout(struct stay *s)
{
    resident_listen(s->w);
}

static void on_notes(struct stay *s)
{
    resident_note(s->w);
}

static void on_stderr(struct stay *s)
{
    resident_listen_stderr(s->w);
}

/* A process that is to be replaced leaves when it is empty; what is claimed waits for the next. */
static void keep_going(struct worker *w)
{
    struct resident *r = &w->resident;
    const struct attempt *next = deck_first(&w->deck, ATTEMPT_CLAIMED);
    if (r->state == RESIDENT_READY && r->wants_recycling && r->calls.len == 0) {
        r->is_expected = true;
        resident_leave(w);
    }
    if (r->state == RESIDENT_NONE && next != NULL)
        resident_start(w, next->stage);
    resident_dispatch(w);
}

static void watch(struct worker *w)
{
    const struct resident *r = &w->resident;
    loop_watch(w->loop, LOOP_STDOUT, r->out_fd);
    loop_watch(w->loop, LOOP_STDERR, r->err_fd);
}

/* The oldest that is claimed and waits: everything before it has begun. */
static int64_t begun(const struct worker *w)
{
    int64_t last = life_last_claim(&w->life);
    for (size_t i = 0; w->deck.counts[ATTEMPT_CLAIMED] > 0 && i < w->deck.len; i++) {
        const struct attempt *a = w->deck.list[i];
        if (a->state == ATTEMPT_CLAIMED && a->run.claim <= last)
            last = a->run.claim - 1;
    }
    return last;
}

/* Said before the wake word is read for the last time: pairs with pool_wake. */
static void tell_room(struct stay *s)
{
    struct worker *w = s->w;
    bool is_full_or_waits = s->is_stop || w->deck.counts[ATTEMPT_CLAIMED] > 0;
    if (!s->has_told && !is_full_or_waits && has_room(w)) {
        life_set_room(&w->life, true);
        s->has_told = true;
    }
}

/* After each event: send what may be sent, and see whether the stay is over. */
static void advance(struct stay *s)
{
    if (!s->is_stop)
        keep_going(s->w);
    watch(s->w);
    resident_flush(s->w);
    tell_room(s);
    if (is_over(s)) {
        loop_stop(s->w->loop);
        return;
    }
    const struct attempt *running = deck_first(&s->w->deck, ATTEMPT_RUNNING);
    life_hold(&s->w->life, deck_open(&s->w->deck), begun(s->w));
    life_run(&s->w->life, running != NULL ? running->run.claim : 0, deadline(s->w));
    arm(s);
}

static void on_event(void *ctx, enum loop_source source)
{
    static void (*const acts[LOOP_SOURCES])(struct stay *) = {
        [LOOP_WAKE] = on_wake,
        [LOOP_LIFELINE] = on_lifeline,
        [LOOP_CHILD] = on_child,
        [LOOP_STDOUT] = on_stdout,
        [LOOP_STDERR] = on_stderr,
        [LOOP_STDIN] = on_stdin,
        [LOOP_BEAT] = on_beat,
        [LOOP_NOTES] = on_notes,
        [LOOP_LIMIT] = on_limit,
    };
    acts[source](ctx);
    advance(ctx);
}

static void stay(struct stay *s)
{
    struct worker *w = s->w;
    loop_set_timer(w->loop, LOOP_BEAT, w->life.beat_due_mono_ns);
    if (life_is_stopped_now(&w->life) && !s->is_stop) {
        deck_give_back(&w->deck);
        cancel_all(w);
    }
    advance(s);
    if (!is_over(s))
        loop_run(w->loop, on_event, s);
    loop_set_timer(w->loop, LOOP_BEAT, 0);
    loop_set_timer(w->loop, LOOP_LIMIT, 0);
    life_set_room(&w->life, false);
}

void resident_work(struct worker *w, uint32_t seen)
{
    struct stay s = {.w = w, .seen = seen};
    const struct attempt *next = deck_first(&w->deck, ATTEMPT_CLAIMED);
    if (next != NULL && w->resident.state != RESIDENT_NONE &&
        w->resident.stage_id != next->stage->id)
        resident_stop(w);
    stay(&s);
}

void resident_stop(struct worker *w)
{
    struct stay s = {.w = w, .is_stop = true};
    if (w->resident.state == RESIDENT_NONE)
        return;
    w->resident.is_expected = true;
    resident_leave(w);
    stay(&s);
}

void resident_look(struct worker *w)
{
    struct resident *r = &w->resident;
    if (r->state == RESIDENT_NONE)
        return;
    resident_reap(w);
    const struct catalog_stage *stage = stage_of(w);
    if (r->state == RESIDENT_NONE || stage == NULL)
        return;
    look_at_memory(w);
    int64_t idle_ns = clock_mono_ns() - r->idle_since_mono_ns;
    if (r->state == RESIDENT_STARTING && clock_mono_ns() < r->until_mono_ns)
        return;
    if (r->state != RESIDENT_READY || r->wants_recycling ||
        idle_ns >= stage->spec->tuning.resident_idle_ms * NS_PER_MS)
        resident_stop(w);
}
