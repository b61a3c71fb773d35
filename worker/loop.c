#include "worker/loop.h"

#include <ev.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

struct loop {
    struct ev_loop *ev;
    struct ev_io io[LOOP_FDS];
    struct ev_timer timer[LOOP_SOURCES - LOOP_FDS];
    loop_fn fn;
    void *ctx;
};

static void on_io(struct ev_loop *ev, struct ev_io *w, int events)
{
    struct loop *loop = w->data;
    (void)ev;
    (void)events;
    loop->fn(loop->ctx, (enum loop_source)(w - loop->io));
}

static void on_timer(struct ev_loop *ev, struct ev_timer *w, int events)
{
    struct loop *loop = w->data;
    (void)ev;
    (void)events;
    loop->fn(loop->ctx, (enum loop_source)(LOOP_FDS + (w - loop->timer)));
}

enum rc loop_new(struct loop **ret, struct err *err)
{
    struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (ev == NULL)
        return err_set(err, RC_SYS, "no event loop: out of descriptors or memory");
    struct loop *loop = xcalloc(1, sizeof(*loop));
    loop->ev = ev;
    for (int i = 0; i < LOOP_FDS; i++) {
        ev_init(&loop->io[i], on_io);
        loop->io[i].data = loop;
    }
    for (int i = 0; i < LOOP_SOURCES - LOOP_FDS; i++) {
        ev_init(&loop->timer[i], on_timer);
        loop->timer[i].data = loop;
    }
    *ret = loop;
    return RC_OK;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    ev_loop_destroy(loop->ev);
    free(loop);
}

/* libev takes a hang-up for both, and asks the kernel for less if one was not wanted: a call for
 * each end of a pipe. The reading end of a pipe can never be written to. */
static int events_of(enum loop_source source)
{
    switch (source) {
    case LOOP_STDIN:
        return EV_WRITE;
    case LOOP_STDOUT:
    case LOOP_STDERR:
    case LOOP_CONTROL:
        return EV_READ | EV_WRITE;
    case LOOP_WAKE:
    case LOOP_LIFELINE:
    case LOOP_CHILD:
    case LOOP_FDS:
    case LOOP_NOTES:
    case LOOP_HAND_OVER:
    case LOOP_LISTEN:
    case LOOP_LIMIT:
    case LOOP_SOURCES:
        break;
    }
    return EV_READ;
}

void loop_watch(struct loop *loop, enum loop_source source, int fd)
{
    struct ev_io *w = &loop->io[source];
    if (ev_is_active(w) && w->fd == fd) /* stopping would forget what is pending */
        return;
    ev_io_stop(loop->ev, w);
    if (fd < 0)
        return;
    ev_io_set(w, fd, events_of(source));
    ev_io_start(loop->ev, w);
}

void loop_set_timer(struct loop *loop, enum loop_source source, int64_t at_mono_ns)
{
    struct ev_timer *w = &loop->timer[source - LOOP_FDS];
    ev_timer_stop(loop->ev, w);
    if (at_mono_ns == 0)
        return;
    ev_now_update(loop->ev);
    int64_t after_ns = at_mono_ns - clock_mono_ns();
    ev_timer_set(w, after_ns > 0 ? (double)after_ns / 1e9 : 0., 0.);
    ev_timer_start(loop->ev, w);
}

void loop_run(struct loop *loop, loop_fn fn, void *ctx)
{
    loop->fn = fn;
    loop->ctx = ctx;
    ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}
