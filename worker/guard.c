#include "worker/guard.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/proctree.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"
#include "worker/exec_talk.h"
#include "worker/limits.h"
#include "worker/rooms.h"
#include "worker/trade.h"

enum guard_phase {
    GUARD_RUNNING,
    GUARD_ENDING,   /* TERM is sent, the grace runs */
    GUARD_SWEEPING, /* KILL is sent to all that is left, until nothing is */
    GUARD_OVER,
};

enum {
    SWEEP_MIN_MS = 1,
    SWEEP_MAX_MS = 100,
    CONTROL_ROUNDS = 64, /* reads of what a process has left in its pipe */
};

#define LISTEN_NS (5 * NS_PER_MS)

struct guard {
    struct worker *w;
    struct call *call;
    struct attempt *a; /* the first of the call: has the process */
    bool is_batch;
    enum attempt_cut cut; /* why the process is being ended */
    enum guard_phase phase;
    int64_t until_mono_ns; /* without a process: when it is over; 0: with one */
    int64_t sweep_ms;
    int64_t deadline_mono_ns; /* as the supervisor was told */
};

static void set_limit(struct guard *g, int64_t after_ms)
{
    loop_set_timer(g->w->loop, LOOP_LIMIT, clock_mono_ns() + after_ms * NS_PER_MS);
}

static void finish(struct guard *g)
{
    g->phase = GUARD_OVER;
    loop_stop(g->w->loop);
}

/* Every child of ours, whichever: what lost its parent in the handler's tree came to us. */
static size_t reap(struct guard *g)
{
    struct proctree_end end;
    size_t n = 0;
    for (; proctree_reap(&end) == RC_ROW; n++) {
        limits_add_usage(&g->a->usage, &end.usage);
        if (end.pid == g->a->pid && !g->a->is_ended) {
            g->a->is_ended = true;
            g->a->status = end.status;
        }
    }
    return n;
}

static void sweep(struct guard *g)
{
    if (g->phase == GUARD_OVER)
        return;
    g->phase = GUARD_SWEEPING;
    for (;;) {
        size_t alive = proctree_kill_strangers(NULL, 0);
        size_t reaped = reap(g);
        if (alive == 0 && g->a->is_ended) {
            finish(g);
            return;
        }
        if (reaped == 0)
            break;
    }
    set_limit(g, g->sweep_ms); /* SIGCHLD usually comes first */
    g->sweep_ms = g->sweep_ms * 2 < SWEEP_MAX_MS ? g->sweep_ms * 2 : SWEEP_MAX_MS;
}

/* The group can still be named by the leader's pid: the leader is ours and not reaped. */
static void terminate(struct guard *g)
{
    g->phase = GUARD_ENDING;
    if (!g->a->is_ended)
        (void)kill(-g->a->pid, SIGTERM);
    set_limit(g, g->a->stage->spec->tuning.grace_ms);
}

/* Of a batch, whoever has an outcome keeps it. What the others have said so far is in their rows
 * before they are ended. */
static void mark(struct guard *g, enum attempt_cut why)
{
    size_t open = 0;
    for (size_t i = 0; i < g->call->len; i++)
        open += attempt_is_open(g->call->items[i]);
    for (size_t i = 0; i < g->call->len; i++) {
        struct attempt *a = g->call->items[i];
        bool is_meant = g->is_batch ? attempt_is_open(a) : a->cut == CUT_NONE;
        if (is_meant || (why == CUT_LOST && !g->is_batch))
            a->cut = why;
        a->is_cut_with_others = is_meant && open > 1;
        if (a->cut != CUT_LOST)
            notes_now(g->w, a);
    }
}

static void cut(struct guard *g, enum attempt_cut why)
{
    bool is_hard = why == CUT_OUTPUT || why == CUT_LOST;
    if (g->phase == GUARD_OVER || (g->cut != CUT_NONE && !is_hard))
        return;
    if (g->cut == CUT_NONE)
        g->cut = why;
    mark(g, why);
    if (g->a->pid == 0)
        finish(g);
    else if (is_hard || g->phase == GUARD_SWEEPING)
        sweep(g);
    else
        terminate(g);
}

/* Who is gone or broken is ended, when nobody is left who may still say something. */
static void look_at_items(struct guard *g)
{
    enum attempt_cut why = CUT_NONE;
    for (size_t i = 0; i < g->call->len; i++) {
        struct attempt *a = g->call->items[i];
        if (a->is_gone)
            a->cut = CUT_LOST;
        if (a->cut == CUT_LOST)
            why = CUT_LOST;
        else if (heard_is_broken(&a->heard))
            why = why == CUT_NONE ? CUT_BROKEN : why;
        else if (a->heard.outcome == MESSAGE_UNKNOWN)
            return;
    }
    if (why != CUT_NONE)
        cut(g, why);
}

static void stop_reading(struct guard *g, enum loop_source source, int *fd)
{
    loop_watch(g->w->loop, source, -1);
    (void)close(*fd);
    *fd = -1;
}

/* Text that is no result. */
static void read_tail(struct guard *g, struct tail *tail, enum loop_source source, int *fd)
{
    const struct tail_about about = attempt_about(g->a);
    const char *name = source == LOOP_STDOUT ? "stdout" : "stderr";
    enum rc rc = tail_read(tail, *fd);
    bool is_over = rc != RC_AGAIN && rc != RC_LIMIT;
    tail_show(tail, &g->w->live, &about, name, is_over || g->a->is_ended);
    if (is_over)
        stop_reading(g, source, fd);
}

static void read_stdout(struct guard *g)
{
    struct attempt *a = g->a;
    if (a->stdout_fd < 0)
        return;
    if (g->is_batch) {
        read_tail(g, &a->printed, LOOP_STDOUT, &a->stdout_fd);
        return;
    }
    /* One byte more for the final line break, which is none of the result, and one to tell. */
    size_t max = (size_t)a->stage->spec->tuning.output_size_bytes + 2;
    enum rc rc = sys_read_avail(a->stdout_fd, max, &a->output);
    if (rc == RC_AGAIN)
        return;
    stop_reading(g, LOOP_STDOUT, &a->stdout_fd);
    if (rc == RC_LIMIT)
        cut(g, CUT_OUTPUT);
}

static void read_stderr(struct guard *g)
{
    if (g->a->stderr_fd >= 0)
        read_tail(g, &g->a->tail, LOOP_STDERR, &g->a->stderr_fd);
}

/* The lines that are there; none behind one that cannot be read. */
static void hear_lines(struct guard *g)
{
    if (!exec_talk_hear(g->w, g->call) && g->a->control_fd >= 0)
        stop_reading(g, LOOP_CONTROL, &g->a->control_fd);
}

/* RC_LIMIT: there is more. */
static enum rc hear(struct guard *g)
{
    struct attempt *a = g->a;
    if (a->control_fd < 0)
        return RC_DONE;
    struct buf *room = stream_room(&a->control);
    enum rc rc = sys_read_avail(a->control_fd, stream_wants(&a->control), room);
    hear_lines(g);
    if (a->control_fd >= 0 && rc != RC_AGAIN && rc != RC_LIMIT)
        stop_reading(g, LOOP_CONTROL, &a->control_fd);
    notes_turn(g->w);
    look_at_items(g);
    return rc;
}

static void read_control(struct guard *g)
{
    (void)hear(g);
}

/* The process has ended: what is in the pipe is all it has said. Half a line of one that was killed
 * says nothing. */
static void read_last_words(struct guard *g)
{
    struct attempt *a = g->a;
    for (int round = 0; round < CONTROL_ROUNDS && hear(g) == RC_LIMIT;)
        round++;
    if (!WIFEXITED(a->status) || g->cut == CUT_BROKEN)
        return;
    stream_end(&a->control);
    hear_lines(g);
    look_at_items(g);
}

static void on_notes(struct guard *g)
{
    notes_turn(g->w);
    look_at_items(g);
}

static void on_child(struct guard *g)
{
    struct signalfd_siginfo info[8];
    (void)read(g->w->child_fd, info, sizeof(info));
    (void)reap(g);
    if (!g->a->is_ended || g->phase == GUARD_OVER)
        return;
    if (g->phase != GUARD_SWEEPING) {
        /* All that the main process wrote is in the pipes; who else holds them is not awaited. */
        read_stdout(g);
        read_stderr(g);
        read_last_words(g);
    }
    sweep(g);
}

static void on_limit(struct guard *g)
{
    switch (g->phase) {
    case GUARD_RUNNING:
        if (g->until_mono_ns != 0 && clock_mono_ns() >= g->until_mono_ns)
            finish(g);
        else
            cut(g, CUT_TIMEOUT);
        break;
    case GUARD_ENDING:
    case GUARD_SWEEPING:
        sweep(g);
        break;
    case GUARD_OVER:
        break;
    }
}

static void look_at_claims(struct guard *g)
{
    for (size_t i = 0; g->w->trial == NULL && i < g->call->len; i++) {
        struct attempt *a = g->call->items[i];
        bool is_mine = true;
        if (store_claim_is_mine(g->w->store, &a->run, &is_mine, NULL) == RC_OK && !is_mine)
            a->cut = CUT_LOST;
    }
    look_at_items(g);
}

static void start_listening(struct guard *g)
{
    loop_watch(g->w->loop, LOOP_STDOUT, g->a->stdout_fd);
    loop_watch(g->w->loop, LOOP_STDERR, g->a->stderr_fd);
    loop_watch(g->w->loop, LOOP_CONTROL, g->a->control_fd);
}

/* What ended before this run began. */
static void hand_over(struct guard *g)
{
    struct worker *w = g->w;
    trade_hand_over(w);
    life_enter(&w->life, WORKER_RUNNING, g->a->run.claim, g->deadline_mono_ns);
    life_hold(&w->life, deck_open(&w->deck), atomic_load(&w->life.slot->begun));
    loop_set_timer(w->loop, LOOP_HAND_OVER, rooms_hand_over_due(w, g->a->started_mono_ns));
}

static void on_hand_over(struct guard *g)
{
    if (clock_mono_ns() - g->a->started_mono_ns >= ROOMS_TURN_NS)
        deck_give_back(&g->w->deck);
    hand_over(g);
}

/* An order, or somebody has taken claims away: which, the database knows. */
static void on_wake(struct guard *g)
{
    uint64_t count = 0;
    (void)read(FD_WAKE, &count, sizeof(count));
    if (count >= WAKE_ORDER && g->w->deck.counts[ATTEMPT_CLAIMED] > 0) {
        deck_give_back(&g->w->deck);
        hand_over(g);
    }
    if (life_is_stopped_now(&g->w->life))
        cut(g, CUT_STOPPED);
    look_at_claims(g);
}

static void on_lifeline(struct guard *g)
{
    (void)g;
    life_orphaned();
}

static void on_beat(struct guard *g)
{
    life_tick(&g->w->life);
    look_at_claims(g);
    loop_set_timer(g->w->loop, LOOP_BEAT, g->w->life.beat_due_mono_ns);
}

static void on_event(void *ctx, enum loop_source source)
{
    static void (*const acts[LOOP_SOURCES])(struct guard *) = {
        [LOOP_WAKE] = on_wake,
        [LOOP_LIFELINE] = on_lifeline,
        [LOOP_CHILD] = on_child,
        [LOOP_STDOUT] = read_stdout,
        [LOOP_STDERR] = read_stderr,
        [LOOP_CONTROL] = read_control,
        [LOOP_NOTES] = on_notes,
        [LOOP_HAND_OVER] = on_hand_over,
        [LOOP_LISTEN] = start_listening,
        [LOOP_BEAT] = on_beat,
        [LOOP_LIMIT] = on_limit,
    };
    acts[source](ctx);
}

void guard_run(struct worker *w, struct call *call, int64_t until_mono_ns)
{
    struct attempt *a = call->items[0];
    struct guard g = {.w = w,
        .call = call,
        .a = a,
        .is_batch = stage_is_batch(a->stage->spec),
        .until_mono_ns = until_mono_ns,
        .sweep_ms = SWEEP_MIN_MS,
        .deadline_mono_ns = w->life.deadline_mono_ns};
    int64_t limit = a->started_mono_ns + a->stage->spec->tuning.timeout_ms * NS_PER_MS;
    if (until_mono_ns != 0 && until_mono_ns < limit)
        limit = until_mono_ns;
    if (call->is_quick) /* what it says fits into its pipes, and is read when it has ended */
        loop_set_timer(w->loop, LOOP_LISTEN, a->started_mono_ns + LISTEN_NS);
    else
        start_listening(&g);
    loop_set_timer(w->loop, LOOP_LIMIT, limit);
    loop_set_timer(w->loop, LOOP_BEAT, w->life.beat_due_mono_ns);
    loop_set_timer(w->loop, LOOP_HAND_OVER, rooms_hand_over_due(w, a->started_mono_ns));
    if (life_is_stopped_now(&w->life))
        cut(&g, CUT_STOPPED);
    if (g.phase != GUARD_OVER)
        loop_run(w->loop, on_event, &g);
    loop_watch(w->loop, LOOP_STDOUT, -1);
    loop_watch(w->loop, LOOP_STDERR, -1);
    loop_watch(w->loop, LOOP_CONTROL, -1);
    attempt_close_pipes(a);
    for (size_t i = 0; i < call->len; i++)
        notes_forget(w, call->items[i]);
    loop_set_timer(w->loop, LOOP_NOTES, 0);
    loop_set_timer(w->loop, LOOP_LIMIT, 0);
    loop_set_timer(w->loop, LOOP_BEAT, 0);
    loop_set_timer(w->loop, LOOP_HAND_OVER, 0);
    loop_set_timer(w->loop, LOOP_LISTEN, 0);
    atomic_store(&w->life.slot->handler_pid, 0);
}
