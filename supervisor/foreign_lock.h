/* foreign_lock: who holds the database's write lock when nobody of the pool does, and for how long
 * the pool has waited: looked up in /proc/locks, named in `status`, never killed. In stintd only;
 * it looks at names and inodes and opens nothing of the database. */
#ifndef STINT_SUPERVISOR_FOREIGN_LOCK_H
#define STINT_SUPERVISOR_FOREIGN_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct foreign_lock {
    int64_t since_mono_ns; /* the pool waits and does not hold it itself since; 0: it does not */
    pid_t pid;             /* 0: not known */
    char name[32];         /* of the program; "" */
};

/* With each tick. is_wanted: somebody of the pool waits; is_ours: somebody of the pool holds it.
 * After patience_ms of waiting the holder is looked up; true when one was found just now. */
bool foreign_lock_look(struct foreign_lock *lock, const char *database, bool is_wanted,
    bool is_ours, int64_t patience_ms);

#endif
