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
    pid_t told_pid;        /* the newest that was told of during this wait; 0: none */
    char name[32];         /* of the program; "" */
    int64_t over_ms;       /* with OVER: how long the pool waited */
};

enum foreign_lock_news { FOREIGN_LOCK_SAME, FOREIGN_LOCK_FOUND, FOREIGN_LOCK_OVER };

/* With each tick. is_wanted: somebody of the pool waits; is_ours: somebody of the pool holds it.
 * After patience_ms of waiting the holder is looked up; FOUND when it is another one than before,
 * OVER once when the wait ends for which one was found. */
enum foreign_lock_news foreign_lock_look(struct foreign_lock *lock, const char *database,
    bool is_wanted, bool is_ours, int64_t patience_ms);
/* It is of the pool after all. */
void foreign_lock_forget(struct foreign_lock *lock);

#endif
