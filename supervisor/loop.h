/* loop: the supervisor's event loop: descriptors, signals, one repeating tick, one alarm. The only
 * file of this process that includes <ev.h>. Allocates everything in loop_new: the number of
 * watches is fixed. Callbacks are short: decode, call. */
#ifndef STINT_SUPERVISOR_LOOP_H
#define STINT_SUPERVISOR_LOOP_H

#include <stdint.h>

#include "common/base/err.h"

struct loop;
struct watch;

enum watch_wants { WATCH_READ = 1, WATCH_WRITE = 2 };

typedef void (*watch_fn)(void *arg, int is_readable, int is_writable);
typedef void (*signal_fn)(void *arg, int signum);
typedef void (*time_fn)(void *arg);

/* watches_max: how many descriptors may be watched at the same time. */
MUST_CHECK enum rc loop_new(int watches_max, struct loop **ret, struct err *err);
void loop_free(struct loop *loop);
void loop_run(struct loop *loop); /* until loop_end */
void loop_end(struct loop *loop);

/* NULL: no watch is left. The descriptor stays the caller's; end the watch before closing it. */
struct watch *loop_watch(struct loop *loop, int fd, unsigned wants, watch_fn fn, void *arg);
void watch_set_wants(struct watch *watch, unsigned wants);
void watch_end(struct watch *watch); /* NULL: nothing */

void loop_on_signals(struct loop *loop, const int *signums, int len, signal_fn fn, void *arg);
void loop_set_tick(struct loop *loop, int64_t period_ms, time_fn fn, void *arg);
void loop_set_alarm_fn(struct loop *loop, time_fn fn, void *arg);
/* One call of the alarm function at this time; 0: none; the past: in the next iteration. */
void loop_set_alarm(struct loop *loop, int64_t at_mono_ns);

#endif
