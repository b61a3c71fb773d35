#include "supervisor/loop.h"

#include <ev.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

#define SIGNALS_MAX 16

struct watch {
    ev_io io; /* first: libev hands back this address */
    struct loop *loop;
    watch_fn fn;
    void *arg;
    int fd;
    bool is_used;
};

struct loop {
    struct ev_loop *ev;
    struct watch *watches;
    int watches_max;
    ev_signal signals[SIGNALS_MAX];
    signal_fn on_signal;
    void *signal_arg;
    int signals_len;
    ev_timer tick, alarm;
    time_fn on_tick, on_alarm;
    void *tick_arg, *alarm_arg;
};

static void handle_io(struct ev_loop *ev, ev_io *io, int revents)
{
    struct watch *watch = (struct watch *)io;

    (void)ev;
    watch->fn(watch->arg, (revents & EV_READ) != 0, (revents & EV_WRITE) != 0);
}

static void handle_signal(struct ev_loop *ev, ev_signal *signal, int revents)
{
    struct loop *loop = ev_userdata(ev);

    (void)revents;
    loop->on_signal(loop->signal_arg, signal->signum);
}

static void handle_tick(struct ev_loop *ev, ev_timer *timer, int revents)
{
    struct loop *loop = ev_userdata(ev);

    (void)timer;
    (void)revents;
    loop->on_tick(loop->tick_arg);
}

static void handle_alarm(struct ev_loop *ev, ev_timer *timer, int revents)
{
    struct loop *loop = ev_userdata(ev);

    (void)timer;
    (void)revents;
    loop->on_alarm(loop->alarm_arg);
}

enum rc loop_new(int watches_max, struct loop **ret, struct err *err)
{
    struct loop *loop = xcalloc(1, sizeof *loop);

    /* Not the default loop: that one reaps every child by itself. */
    loop->ev = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOTIMERFD);
    if (loop->ev == NULL) {
        free(loop);
        return err_set(err, RC_SYS, "cannot start an event loop");
    }
    loop->watches = xcalloc((size_t)watches_max, sizeof *loop->watches);
    loop->watches_max = watches_max;
    ev_set_userdata(loop->ev, loop);
    ev_init(&loop->tick, handle_tick);
    ev_init(&loop->alarm, handle_alarm);
    *ret = loop;
    return RC_OK;
}

void loop_free(struct loop *loop)
{
    sigset_t all;

    if (loop == NULL)
        return;
    /* Who has let go of its signals is leaving: a late one must not stop or kill it on the way. */
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 0; i < loop->signals_len; i++)
        ev_signal_stop(loop->ev, &loop->signals[i]);
    ev_loop_destroy(loop->ev);
    free(loop->watches);
    free(loop);
}

void loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

void loop_end(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

static int ev_wants(unsigned wants)
{
    return ((wants & WATCH_READ) != 0 ? EV_READ : 0) | ((wants & WATCH_WRITE) != 0 ? EV_WRITE : 0);
}

struct watch *loop_watch(struct loop *loop, int fd, unsigned wants, watch_fn fn, void *arg)
{
    for (int i = 0; i < loop->watches_max; i++) {
        struct watch *watch = &loop->watches[i];

        if (watch->is_used)
            continue;
        watch->is_used = true;
        watch->loop = loop;
        watch->fn = fn;
        watch->arg = arg;
        watch->fd = fd;
        ev_io_init(&watch->io, handle_io, fd, ev_wants(wants));
        ev_io_start(loop->ev, &watch->io);
        return watch;
    }
    return NULL;
}

void watch_set_wants(struct watch *watch, unsigned wants)
{
    ev_io_stop(watch->loop->ev, &watch->io);
    ev_io_set(&watch->io, watch->fd, ev_wants(wants));
    ev_io_start(watch->loop->ev, &watch->io);
}

void watch_end(struct watch *watch)
{
    if (watch == NULL || !watch->is_used)
        return;
    ev_io_stop(watch->loop->ev, &watch->io);
    watch->is_used = false;
}

void loop_on_signals(struct loop *loop, const int *signums, int len, signal_fn fn, void *arg)
{
    loop->on_signal = fn;
    loop->signal_arg = arg;
    for (int i = 0; i < len && loop->signals_len < SIGNALS_MAX; i++) {
        ev_signal *signal = &loop->signals[loop->signals_len++];

        ev_signal_init(signal, handle_signal, signums[i]);
        ev_signal_start(loop->ev, signal);
    }
}

void loop_set_tick(struct loop *loop, int64_t period_ms, time_fn fn, void *arg)
{
    loop->on_tick = fn;
    loop->tick_arg = arg;
    ev_timer_stop(loop->ev, &loop->tick);
    ev_timer_set(&loop->tick, (double)period_ms / 1000, (double)period_ms / 1000);
    ev_timer_start(loop->ev, &loop->tick);
}

void loop_set_alarm_fn(struct loop *loop, time_fn fn, void *arg)
{
    loop->on_alarm = fn;
    loop->alarm_arg = arg;
}

void loop_set_alarm(struct loop *loop, int64_t at_mono_ns)
{
    double in_s;

    ev_timer_stop(loop->ev, &loop->alarm);
    if (at_mono_ns == 0)
        return;
    ev_now_update(loop->ev);
    in_s = (double)(at_mono_ns - clock_mono_ns()) / (double)NS_PER_S;
    ev_timer_set(&loop->alarm, in_s > 0 ? in_s : 0, 0);
    ev_timer_start(loop->ev, &loop->alarm);
}
