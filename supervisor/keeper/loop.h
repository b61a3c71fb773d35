/* loop: the keeper's event loop: three descriptors and three timers, each with a name, all reported
 * to one function. The only file of this process that knows libev. Never decides anything. */
#ifndef STINT_KEEPER_LOOP_H
#define STINT_KEEPER_LOOP_H

#include <stdint.h>

#include "common/base/err.h"

enum loop_source {
    LOOP_ORDERS,   /* the supervisor says something */
    LOOP_LIFELINE, /* end of file: the supervisor is gone */
    LOOP_COMMIT,   /* somebody committed (common/store/watch.h) */
    LOOP_FDS,
    LOOP_BEAT = LOOP_FDS, /* timer: the next heartbeat */
    LOOP_LOOK,            /* timer: the next look without a sign */
    LOOP_DUE,             /* timer: the next retry is due, or the next pause ends */
    LOOP_SOURCES,
};

struct loop;
typedef void (*loop_fn)(void *ctx, enum loop_source source);

MUST_CHECK enum rc loop_new(struct loop **ret, struct err *err);
void loop_free(struct loop *loop);
/* fd −1: no longer. Must be said before the descriptor is closed. */
void loop_watch(struct loop *loop, enum loop_source source, int fd);
/* Once, after so many milliseconds; −1: off. */
void loop_set_timer(struct loop *loop, enum loop_source source, int64_t after_ms);
/* Calls fn for each event until loop_stop. */
void loop_run(struct loop *loop, loop_fn fn, void *ctx);
void loop_stop(struct loop *loop);

#endif
