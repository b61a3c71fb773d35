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
#include "worker/limits.h"
#include "worker/trial_say.h"

enum guard_phase {
    GUARD_RUNNING,
    GUARD_ENDING,   /* TERM is sent, the grace runs */
    GUARD_SWEEPING, /* KILL is sent to all that is left, until nothing is */
    GUARD_OVER,
};

enum {
    SWEEP_MIN_MS = 1,
    SWEEP_MAX_MS = 100,
    FAREWELL_ROUNDS = 64,
    CONTROL_ROUNDS = 64, /* reads of what a process has left in its pipe */
};

struct guard {
    struct worker *w;
    struct attempt *a;
    enum guard_phase phase;
    int64_t until_mono_ns; /* without a process: when it is over; 0: with one */
    int64_t sweep_ms;
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

/* What it has said so far is in its row before it is ended. */
static void cut(struct guard *g, enum attempt_cut why)
{
    bool is_hard = why == CUT_OUTPUT || why == CUT_LOST;
    if (g->phase == GUARD_OVER || (g->a->cut != CUT_NONE && !is_hard))
        return;
    if (g->a->cut == CUT_NONE || why == CUT_LOST)
        g->a->cut = why;
    if (why != CUT_LOST)
        notes_now(g->w, g->a);
    if (g->a->pid == 0)
        finish(g);
    else if (is_hard || g->phase == GUARD_SWEEPING)
        sweep(g);
    else
        terminate(g);
}

static void stop_reading(struct guard *g, enum loop_source source, int *fd)
{
    loop_watch(g->w->loop, source, -1);
    (void)close(*fd);
    *fd = -1;
}

static void read_stdout(struct guard *g)
{
    struct attempt *a = g->a;
    if (a->stdout_fd < 0)
        return;
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
    struct attempt *a = g->a;
    const struct tail_about about = attempt_about(a);
    if (a->stderr_fd < 0)
        return;
    enum rc rc = tail_read(&a->tail, a->stderr_fd);
    bool is_over = rc != RC_AGAIN && rc != RC_LIMIT;
    tail_show(&a->tail, &g->w->live, &about, "stderr", is_over || a->is_ended);
    if (is_over)
        stop_reading(g, LOOP_STDERR, &a->stderr_fd);
}

/* The lines that are there; none behind one that cannot be read. */
static void hear_lines(struct guard *g)
{
    struct attempt *a = g->a;
    struct err err = {""};
    const char *line;
    size_t len;
    enum rc rc;
    while ((rc = stream_next(&a->control, &line, &len, &err)) == RC_ROW)
        notes_hear_line(g->w, a, line, len);
    if (rc == RC_PROTO) {
        if (g->w->trial != NULL)
            trial_heard(g->w->trial, &(struct trial_line){line, len, 0, err.text});
        heard_break(&a->heard, err.text, 0, line, len);
        stop_reading(g, LOOP_CONTROL, &a->control_fd);
    }
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
    if (a->is_gone)
        cut(g, CUT_LOST);
    else if (heard_is_broken(&a->heard))
        cut(g, CUT_BROKEN);
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
    if (!WIFEXITED(a->status) || heard_is_broken(&a->heard))
        return;
    stream_end(&a->control);
    hear_lines(g);
    if (heard_is_broken(&a->heard))
        cut(g, CUT_BROKEN);
}

static void on_notes(struct guard *g)
{
    notes_turn(g->w);
    if (g->a->is_gone)
        cut(g, CUT_LOST);
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

static void look_at_claim(struct guard *g)
{
    bool is_mine = true;
    if (g->w->trial == NULL &&
        store_claim_is_mine(g->w->store, &g->a->run, &is_mine, NULL) == RC_OK && !is_mine)
        cut(g, CUT_LOST);
}

/* An order, or somebody has taken claims away: which, the database knows. */
static void on_wake(struct guard *g)
{
    uint64_t count;
    (void)read(FD_WAKE, &count, sizeof(count));
    if (life_is_stopped_now(&g->w->life))
        cut(g, CUT_STOPPED);
    look_at_claim(g);
}

static void on_lifeline(struct guard *g)
{
    log_msg(LOG_LEVEL_WARN, "worker.orphaned", "the supervisor is gone; killing the handler");
    for (int round = 0; round < FAREWELL_ROUNDS && proctree_kill_strangers(NULL, 0) > 0; round++)
        (void)reap(g);
    _exit(1);
}

static void on_beat(struct guard *g)
{
    life_tick(&g->w->life);
    look_at_claim(g);
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
        [LOOP_BEAT] = on_beat,
        [LOOP_LIMIT] = on_limit,
    };
    acts[source](ctx);
}

void guard_run(struct worker *w, struct attempt *a, int64_t until_mono_ns)
{
    struct guard g = {.w = w, .a = a, .until_mono_ns = until_mono_ns, .sweep_ms = SWEEP_MIN_MS};
    int64_t limit = a->started_mono_ns + a->stage->spec->tuning.timeout_ms * NS_PER_MS;
    if (until_mono_ns != 0 && until_mono_ns < limit)
        limit = until_mono_ns;
    loop_watch(w->loop, LOOP_STDOUT, a->stdout_fd);
    loop_watch(w->loop, LOOP_STDERR, a->stderr_fd);
    loop_watch(w->loop, LOOP_CONTROL, a->control_fd);
    loop_set_timer(w->loop, LOOP_LIMIT, limit);
    loop_set_timer(w->loop, LOOP_BEAT, w->life.beat_due_mono_ns);
    if (life_is_stopped_now(&w->life))
        cut(&g, CUT_STOPPED);
    if (g.phase != GUARD_OVER)
        loop_run(w->loop, on_event, &g);
    loop_watch(w->loop, LOOP_STDOUT, -1);
    loop_watch(w->loop, LOOP_STDERR, -1);
    loop_watch(w->loop, LOOP_CONTROL, -1);
    notes_forget(w, a);
    loop_set_timer(w->loop, LOOP_NOTES, 0);
    loop_set_timer(w->loop, LOOP_LIMIT, 0);
    loop_set_timer(w->loop, LOOP_BEAT, 0);
    atomic_store(&w->life.slot->handler_pid, 0);
}
