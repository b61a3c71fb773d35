/* loop: the worker's event loop while a handler runs: a fixed set of descriptors and timers, each
 * with a name, all reported to one function. The only file of this process that knows libev. Never
 * decides anything. */
#ifndef STINT_WORKER_LOOP_H
#define STINT_WORKER_LOOP_H

#include <stdint.h>

#include "common/base/err.h"

enum loop_source {
    LOOP_WAKE,     /* the slot's eventfd: orders of the supervisor */
    LOOP_LIFELINE, /* end of file: the supervisor is gone */
    LOOP_CHILD,    /* signalfd: SIGCHLD */
    LOOP_STDOUT,
    LOOP_STDERR,
    LOOP_STDIN,   /* of a resident: it can be written to */
    LOOP_CONTROL, /* messages of an exec handler */
    LOOP_FDS,
    LOOP_BEAT = LOOP_FDS, /* timer: the next heartbeat */
    LOOP_NOTES,           /* timer: what handlers said may be written */
    LOOP_HAND_OVER,       /* timer: outcomes have waited long enough */
    LOOP_LISTEN,          /* timer: the run is not so quick as was thought */
    LOOP_LIMIT,           /* timer: timeout, end of grace, next sweep */
    LOOP_SOURCES,
};

struct loop;
typedef void (*loop_fn)(void *ctx, enum loop_source source);

MUST_CHECK enum rc loop_new(struct loop **ret, struct err *err);
void loop_free(struct loop *loop);
/* fd −1: no longer. Must be said before the descriptor is closed. */
void loop_watch(struct loop *loop, enum loop_source source, int fd);
/* Once, at this time of CLOCK_MONOTONIC (the past: at once); 0: off. */
void loop_set_timer(struct loop *loop, enum loop_source source, int64_t at_mono_ns);
/* Calls fn for each event until loop_stop. */
void loop_run(struct loop *loop, loop_fn fn, void *ctx);
void loop_stop(struct loop *loop);

#endif
