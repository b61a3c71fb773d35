#include "worker/resident.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/proctree.h"
#include "common/base/sys.h"
#include "worker/certificate.h"
#include "worker/launch.h"
#include "worker/limits.h"
#include "worker/resident_end.h"
#include "worker/resident_talk.h"
#include "worker/result.h"
#include "worker/verdict.h"

enum { SWEEP_MIN_MS = 1, SWEEP_MAX_MS = 100 };
#define THROTTLE_MIN_NS (100 * NS_PER_MS)
#define THROTTLE_MAX_NS (30 * NS_PER_S)

void resident_init(struct resident *r)
{
    *r = (struct resident){.in_fd = -1, .out_fd = -1, .err_fd = -1};
}

void resident_fini(struct resident *r)
{
    buf_fini(&r->version);
    stream_fini(&r->stream);
    message_fini(&r->message);
    buf_fini(&r->out);
    tail_fini(&r->tail);
    buf_fini(&r->fault);
    calls_fini(&r->calls);
    resident_init(r);
}

bool resident_may_take(
    const struct resident *r, const struct catalog_stage *stage, int64_t now_mono_ns)
{
    return stage->id != r->throttled_stage_id || now_mono_ns >= r->throttled_until_mono_ns;
}

static void log_about(const struct worker *w, enum log_level level, const char *event)
{
    const struct resident *r = &w->resident;
    const struct catalog_stage *stage = catalog_stage(w->catalog, r->stage_id);
    struct logline l;
    log_begin(&l, level, event);
    if (stage != NULL) {
        log_str(&l, "job", stage->job->spec->name);
        log_str(&l, "stage", stage->spec->name);
    }
    log_int(&l, "handler_pid", r->pid);
    if (r->fault.len > 0)
        log_str(&l, "msg", buf_str(&r->fault));
    log_end(&l);
}

/* ---- the start ---- */

struct pipes {
    int in[2], out[2], err[2]; /* [0] is read, [1] is written */
};

static void close_pair(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

static void pipes_fini(struct pipes *p)
{
    close_pair(p->in);
    close_pair(p->out);
    close_pair(p->err);
}

static enum rc pipes_open(struct pipes *p, struct err *err)
{
    enum rc rc = sys_pipe(p->in, false, err);
    if (rc == RC_OK)
        rc = sys_pipe_from_child(p->out, err);
    if (rc == RC_OK)
        rc = sys_pipe_from_child(p->err, err);
    return rc == RC_OK ? sys_set_nonblock(p->in[1], true) : rc;
}

static enum rc spawn_it(
    struct worker *w, const struct catalog_stage *stage, const char *path, struct err *err)
{
    struct resident *r = &w->resident;
    CLEANUP(pipes_fini) struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}};
    enum rc rc = pipes_open(&p, err);
    if (rc != RC_OK)
        return rc;
    struct spawn_fd fds[] = {{p.in[0], 0}, {p.out[1], 1}, {p.err[1], 2}};
    struct launch what = {
        .words = {.stage = stage},
        .path = path,
        .argv = stage->spec->handler.argv,
        .umask = w->handler_umask,
        .fds = fds,
        .fds_len = 3,
    };
    rc = launch(w, &what, &r->pid, NULL, err);
    if (rc != RC_OK)
        return rc;
    r->in_fd = TAKE_FD(p.in[1]);
    r->out_fd = TAKE_FD(p.out[0]);
    r->err_fd = TAKE_FD(p.err[0]);
    return RC_OK;
}

static enum rc start(struct worker *w, const struct catalog_stage *stage, struct err *err)
{
    CLEANUP_FREE char *host = NULL;
    const struct handler *handler = &stage->spec->handler;
    enum rc rc = RC_OK;
    if (handler->kind == HANDLER_PLUGIN)
        rc = sys_find_program("stint-plugin", &host, err);
    return rc == RC_OK ? spawn_it(w, stage, host != NULL ? host : handler->argv[0], err) : rc;
}

static void keep_tail(const struct resident *r, struct attempt *a)
{
    size_t len;
    const char *text = tail_kept(&r->tail, &len);
    result_clean(text, len, &a->stderr_text);
    text = tail_kept(&a->logs, &len);
    result_clean(text, len, &a->log_text);
    if (!r->is_ended)
        return;
    a->pid = r->pid;
    a->status = r->status;
    a->usage = r->usage;
    a->is_oom = r->is_oom;
    certificate_write(a, &a->certificate);
}

/* What is claimed and not begun goes back; the first one takes along why. */
static void pause_stage(struct worker *w, const struct catalog_stage *stage, const char *why)
{
    struct attempt *a = deck_first(&w->deck, ATTEMPT_CLAIMED);
    if (a == NULL)
        return;
    buf_adds(&a->how, "start");
    buf_addf(&a->why,
        "handler %s: %s; check handler of [stage %s.%s]; it is tried again when the pause ends, "
        "and when the pool starts",
        stage->spec->handler.text, why, stage->job->spec->name, stage->spec->name);
    keep_tail(&w->resident, a);
    deck_conclude(&w->deck, a, END_STAGE_PAUSE);
    deck_give_back(&w->deck);
}

void resident_start(struct worker *w, const struct catalog_stage *stage)
{
    struct resident *r = &w->resident;
    struct err err = {""};
    buf_reset(&r->version);
    stream_reset(&r->stream);
    buf_reset(&r->out);
    tail_fini(&r->tail);
    tail_init(&r->tail, (size_t)stage->spec->tuning.stderr_tail_bytes);
    buf_reset(&r->fault);
    r->is_ended = r->is_unusable = r->is_expected = r->wants_recycling = false;
    r->usage = (struct rusage){.ru_maxrss = 0};
    r->requests = r->run_ns = 0;
    r->sweep_ms = SWEEP_MIN_MS;
    if (start(w, stage, &err) != RC_OK) {
        pause_stage(w, stage, err.text);
        return;
    }
    r->stage_id = stage->id;
    r->state = RESIDENT_STARTING;
    r->until_mono_ns = clock_mono_ns() + stage->spec->tuning.start_timeout_ms * NS_PER_MS;
    log_about(w, LOG_LEVEL_DEBUG, "resident.started");
}

/* ---- the end ---- */

static void close_fd(struct worker *w, enum loop_source source, int *fd)
{
    loop_watch(w->loop, source, -1);
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int64_t grace_end(const struct worker *w)
{
    const struct catalog_stage *stage = catalog_stage(w->catalog, w->resident.stage_id);
    int64_t grace_ms = stage != NULL ? stage->spec->tuning.grace_ms : 0;
    return clock_mono_ns() + grace_ms * NS_PER_MS;
}

void resident_leave(struct worker *w)
{
    struct resident *r = &w->resident;
    if (r->state != RESIDENT_STARTING && r->state != RESIDENT_READY)
        return;
    close_fd(w, LOOP_STDIN, &r->in_fd);
    r->state = RESIDENT_LEAVING;
    r->until_mono_ns = grace_end(w);
}

void resident_terminate(struct worker *w)
{
    struct resident *r = &w->resident;
    if (r->is_unusable && r->fault.len == 0)
        buf_adds(&r->fault, "it closed its standard output before it said hello, and did not end");
    r->state = RESIDENT_TERMED;
    r->until_mono_ns = grace_end(w);
    if (!r->is_ended)
        (void)kill(-r->pid, SIGTERM);
}

void resident_kill(struct worker *w, const char *fault)
{
    struct resident *r = &w->resident;
    if (fault != NULL && r->fault.len == 0)
        buf_adds(&r->fault, fault);
    resident_sweep(w);
}

void resident_refuse(struct worker *w, const char *fault)
{
    w->resident.is_unusable = true;
    resident_kill(w, fault);
}

static void throttle(struct resident *r)
{
    r->throttle_ns = r->throttle_ns == 0                    ? THROTTLE_MIN_NS
                     : r->throttle_ns * 2 < THROTTLE_MAX_NS ? r->throttle_ns * 2
                                                            : THROTTLE_MAX_NS;
    r->throttled_stage_id = r->stage_id;
    r->throttled_until_mono_ns = clock_mono_ns() + r->throttle_ns;
}

static void finish(struct worker *w)
{
    struct resident *r = &w->resident;
    const struct catalog_stage *stage = catalog_stage(w->catalog, r->stage_id);
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    close_fd(w, LOOP_STDIN, &r->in_fd);
    close_fd(w, LOOP_STDOUT, &r->out_fd);
    close_fd(w, LOOP_STDERR, &r->err_fd);
    atomic_store(&w->life.slot->handler_pid, 0);
    r->is_oom = memgroup_has_killed(&w->memgroup);
    resident_settle_calls(w);
    if (!r->is_expected && !r->is_unusable && r->fault.len == 0)
        resident_explain(r, &r->fault);
    log_about(w, r->is_expected ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
        r->is_expected ? "resident.ended" : "resident.crashed");
    if (!r->is_expected)
        throttle(r);
    if (r->is_unusable && stage != NULL) {
        resident_explain_no_start(r, &why);
        pause_stage(w, stage, buf_str(&why));
    } else if (!r->is_expected) {
        deck_give_back(&w->deck);
    }
    r->state = RESIDENT_NONE;
    r->stage_id = 0;
    r->pid = 0;
    r->until_mono_ns = 0;
}

/* All that the process wrote is in the pipes; who else holds them is not awaited. */
static void on_ended(struct worker *w)
{
    struct resident *r = &w->resident;
    resident_listen(w);
    resident_listen_stderr(w);
    if (r->state == RESIDENT_STARTING) /* its hello may have been in the pipe */
        r->is_unusable = true;
    if (r->state != RESIDENT_NONE)
        resident_sweep(w);
}

void resident_reap(struct worker *w)
{
    struct resident *r = &w->resident;
    struct proctree_end end;
    bool is_news = false;
    while (proctree_reap(&end) == RC_ROW) {
        limits_add_usage(&r->usage, &end.usage);
        if (r->state == RESIDENT_NONE || end.pid != r->pid || r->is_ended)
            continue;
        r->is_ended = is_news = true;
        r->status = end.status;
    }
    if (is_news && r->state != RESIDENT_SWEEPING)
        on_ended(w);
    else if (r->state == RESIDENT_SWEEPING)
        resident_sweep(w);
}

void resident_sweep(struct worker *w)
{
    struct resident *r = &w->resident;
    r->state = RESIDENT_SWEEPING;
    for (;;) {
        struct proctree_end end;
        size_t reaped = 0, alive = proctree_kill_strangers(NULL, 0);
        for (; proctree_reap(&end) == RC_ROW; reaped++) {
            limits_add_usage(&r->usage, &end.usage);
            if (end.pid == r->pid && !r->is_ended) {
                r->is_ended = true;
                r->status = end.status;
            }
        }
        if (alive == 0 && r->is_ended) {
            finish(w);
            return;
        }
        if (reaped == 0)
            break;
    }
    r->until_mono_ns = clock_mono_ns() + r->sweep_ms * NS_PER_MS; /* SIGCHLD usually comes first */
    r->sweep_ms = r->sweep_ms * 2 < SWEEP_MAX_MS ? r->sweep_ms * 2 : SWEEP_MAX_MS;
}

void resident_conclude(
    struct worker *w, struct call *call, struct attempt **item, enum end_cause cause)
{
    struct resident *r = &w->resident;
    struct attempt *a = *item;
    cause = verdict_text(&a->stage->spec->tuning, cause, buf_str(&a->why));
    if (cause != END_DONE && cause != END_SKIP)
        keep_tail(r, a);
    notes_forget(w, a);
    deck_conclude(&w->deck, a, cause);
    (void)calls_close(&r->calls, call, item);
    if (r->calls.len == 0)
        r->idle_since_mono_ns = clock_mono_ns();
}
