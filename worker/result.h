/* result: what a handler's end means: exit status to outcome, stdout to JSON, stderr to one line.
 * Used by handler_exec.c. Pure: tables and text (DESIGN.md section 5). */
#ifndef STINT_WORKER_RESULT_H
#define STINT_WORKER_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/store/ending.h"

#define RESULT_WHY_MAX 500

/* status as wait(2) gives it. */
enum end_cause result_cause(int status);
/* For events: "exit 75", "signal 9". */
void result_how(int status, struct buf *out);
/* For people: "exit 3", "killed by signal 9 (SIGKILL)". */
void result_ended(int status, struct buf *out);
/* "30 s", "5 min" */
void result_span(int64_t ms, struct buf *out);
/* "timeout after 30 s" */
void result_timeout(int64_t timeout_ms, struct buf *out);

/* JSON text of a result: stdout itself (trimmed) if it is JSON, null if it is empty, else a string
 * without its last newlines. */
void result_json(const char *data, size_t len, struct buf *out);
/* The last line that is not empty, printable, at most RESULT_WHY_MAX bytes; nothing if there is
 * none. Of an uncaught exception of Node.js, which ends in "Node.js v…", the line of the error. */
void result_last_line(const char *data, size_t len, struct buf *out);
/* Printable, at most RESULT_WHY_MAX bytes. */
void result_why(const char *text, size_t len, struct buf *out);
/* Text that any store takes: invalid UTF-8 and NUL become U+FFFD. */
void result_clean(const char *data, size_t len, struct buf *out);

#endif
