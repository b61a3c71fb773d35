#include "supervisor/foreign_lock.h"

#include "common/base/clock.h"
#include "common/base/locks.h"

enum foreign_lock_news foreign_lock_look(struct foreign_lock *lock, const char *database,
    bool is_wanted, bool is_ours, int64_t patience_ms)
{
    int64_t now = clock_mono_ns();

    if (!is_wanted || is_ours) {
        bool was_told = lock->told_pid != 0;

        *lock = (struct foreign_lock){.over_ms = (now - lock->since_mono_ns) / NS_PER_MS};
        return was_told ? FOREIGN_LOCK_OVER : FOREIGN_LOCK_SAME;
    }
    if (lock->since_mono_ns == 0)
        lock->since_mono_ns = now;
    if (now - lock->since_mono_ns < patience_ms * NS_PER_MS)
        return FOREIGN_LOCK_SAME;
    lock->pid = locks_find_writer(database);
    if (lock->pid == 0 || lock->pid == lock->told_pid)
        return FOREIGN_LOCK_SAME;
    locks_read_name(lock->pid, lock->name, sizeof lock->name);
    lock->told_pid = lock->pid;
    return FOREIGN_LOCK_FOUND;
}

void foreign_lock_forget(struct foreign_lock *lock)
{
    lock->pid = lock->told_pid = 0;
}
