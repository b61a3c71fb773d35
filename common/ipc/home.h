/* home: is the pool's database still where the pool found it: the directory that is locked at its
 * path, and in it the file that the keeper opened first. Asked by the supervisor (directory),
 * keeper and workers, before they open it and while they have it open. By stat alone: opening and
 * closing a database drops the locks of a connection in the same process. */
#ifndef STINT_IPC_HOME_H
#define STINT_IPC_HOME_H

#include "common/base/err.h"
#include "common/ipc/pool_mem.h"

/* RC_GONE: the directory of the database's path is not the locked one; the text says what to do. */
MUST_CHECK enum rc home_check_directory(int lock_fd, const char *database, struct err *err);
/* What is lost; the names as the events that tell of it. */
enum home_loss { HOME_THERE, HOME_MOVED, HOME_REPLACED };
/* The directory first, then the file at the path: is it the pool's? HOME_THERE as long as none was
 * taken. Else err says what to do. */
enum home_loss home_check(int lock_fd, struct pool_mem *mem, const char *database, struct err *err);
/* The keeper, once it has opened it: this is the pool's file, as long as the pool lives. */
void home_take_file(struct pool_mem *mem, const char *database);
/* "DEV-INO" of a file as `status` has it; "" while it is not known. */
#define HOME_TEXT_MAX 48
const char *home_format(uint64_t device, uint64_t inode, char ret[static HOME_TEXT_MAX]);

#endif
