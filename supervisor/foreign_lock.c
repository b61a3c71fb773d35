#include "supervisor/foreign_lock.h"

#include "common/base/clock.h"
#include "common/base/locks.h"

bool foreign_lock_look(struct foreign_lock *lock, const char *database, bool is_wanted,
    bool is_ours, int64_t patience_ms)
{
    int64_t now = clock_mono_ns();
    pid_t before = lock->pid;

    if (!is_wanted || is_ours) {
        *lock = (struct foreign_lock){0};
        return false;
    }
    if (lock->since_mono_ns == 0)
        lock->since_mono_ns = now;
    if (now - lock->since_mono_ns < patience_ms * NS_PER_MS)
        return false;
    lock->pid = locks_find_writer(database);
    if (lock->pid == 0 || lock->pid == before)
        return false;
    locks_read_name(lock->pid, lock->name, sizeof lock->name);
    return true;
}
