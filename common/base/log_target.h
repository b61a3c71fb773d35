/* log_target: where the log lines of a process go: descriptor 2 (as it is, or with the journal's
 * level marks where the journal reads it), the syslog socket, or a file that can be opened anew.
 * log.c writes through it; the supervisor opens it, its children follow. Never blocks on syslog:
 * what that does not take goes to descriptor 2. */
#ifndef STINT_BASE_LOG_TARGET_H
#define STINT_BASE_LOG_TARGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define LOG_SYSLOG_PATH "/dev/log"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG, LOG_TARGET_FILE };

/* path: the file, or the syslog socket; else NULL. Copied. */
MUST_CHECK enum rc log_target_open(enum log_target target, const char *path, struct err *err);
/* The file anew, by its path (somebody renamed it); the old one stays if that fails. */
MUST_CHECK enum rc log_target_reopen(struct err *err);
bool log_target_is_stderr(void);
/* What a child should have as its descriptor 2. */
int log_target_child_fd(void);

/* In a child whose descriptor 2 is log_target_child_fd() of its parent: opens the file anew when
 * the word changes, before the next line or the next look. */
void log_target_follow(enum log_target target, const char *path, _Atomic uint32_t *generation);
void log_target_look(void);

/* What stands before "level=…": the time, or what the reader of the lines wants instead. Returns
 * its length. */
size_t log_target_begin(enum log_level level, char *out, size_t cap);
/* One line, with its newline. */
void log_target_write(const char *line, size_t len);

/* "<30>Nov  5 03:04:05 stint[PID]: ", as syslog daemons read it. Pure. */
size_t log_syslog_head(enum log_level level, int64_t wall_s, int pid, char *out, size_t cap);

#endif
