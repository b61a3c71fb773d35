/* log: one logfmt line an event, in one write to where log_target.h says (else descriptor 2).
 * ts=… level=… proc=… pid=… event=… key=value. `event` is a fixed dotted word listed in
 * docs/events.md. Values are quoted and control characters escaped. Used by every daemon process;
 * common/ itself never logs: who decides logs, once. No allocation: safe in the supervisor's
 * loop. */
#ifndef STINT_BASE_LOG_H
#define STINT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/log_target.h"

struct logline {
    char text[2048];
    size_t len;
    bool is_on;
};

/* proc: "supervisor", "keeper", "worker"; slot: −1 for none. Borrowed for the process's life. */
void log_setup(const char *proc, int slot, enum log_level level);
void log_set_level(uint32_t level); /* from another process: bounds are checked */
void log_begin(struct logline *l, enum log_level level, const char *event);
void log_int(struct logline *l, const char *key, int64_t value);
void log_str(struct logline *l, const char *key, const char *value);
void log_end(struct logline *l);
/* The common short form: one event with one free text `msg`. */
void log_msg(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
