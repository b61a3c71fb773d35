/* lock: one pool a database directory, by a flock on the directory itself: keeper and workers
 * inherit it, so it is free only when the last process of the old pool is gone. Also the pid file,
 * which is for people only. Used by start.c, in stintd only. */
#ifndef STINT_SUPERVISOR_LOCK_H
#define STINT_SUPERVISOR_LOCK_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/config/config.h"

/* RC_SYS: this user may not make the socket where [pool] has it; says whose the directory is. */
MUST_CHECK enum rc lock_check_place(const char *socket_path, struct err *err);
/* The flock knows a database, not a file: RC_BUSY if a pool that was started from config_path has
 * another database or socket than [pool] names by now. Where the environment chooses these, a file
 * may have many pools: not looked at. */
MUST_CHECK enum rc lock_check_file(
    const struct config *config, const char *config_path, struct err *err);
/* By which such a pool is found (common/ipc/control_name.h); NULL: by none. Caller frees. */
char *lock_name_of_file(const struct config *config, const char *config_path);

/* Takes the lock, by the start protocol: held by a pool that answers on its socket: RC_BUSY at
 * once; else waits up to wait_ms, then RC_BUSY. err says who holds it. RC_INVALID: no such
 * directory. */
MUST_CHECK enum rc lock_take(
    const char *directory, const char *socket_path, int64_t wait_ms, int *ret_fd, struct err *err);

/* Written whole under another name, then renamed. */
MUST_CHECK enum rc pid_file_write(const char *path, struct err *err);

#endif
