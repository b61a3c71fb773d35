#include "common/store/lock_wait.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/locks.h"
#include "common/base/sys.h"
#include "common/base/text.h"

#define FIRST_NS 100000LL /* most locks are held for one commit: some 0.2 ms */
#define LONGEST_NS 10000000LL
#define LONGEST_FIRST_NS 200000LL

void lock_wait_pause(int count, bool has_precedence)
{
    int64_t longest_ns = has_precedence ? LONGEST_FIRST_NS : LONGEST_NS;
    int64_t ns = FIRST_NS << (count > 8 ? 8 : count);
    if (ns > longest_ns)
        ns = longest_ns;
    ns += (int64_t)(sys_random() % (uint64_t)ns); /* so that waiters do not march in step */
    struct timespec ts = {.tv_sec = 0, .tv_nsec = ns};
    (void)ppoll(NULL, 0, &ts, NULL);
}

bool lock_wait_step(struct lock_wait *w, int count)
{
    int64_t now = clock_mono_ns();
    if (count == 0 && !w->has_tries)
        w->until_mono_ns = now + w->timeout_ms * NS_PER_MS;
    if (!w->is_waiting && w->hooks.on_wait)
        w->hooks.on_wait(w->hooks.ctx, true);
    w->is_waiting = true;
    if (now >= w->until_mono_ns)
        return false;
    lock_wait_pause(count, w->has_precedence);
    if (w->hooks.on_busy)
        w->hooks.on_busy(w->hooks.ctx);
    return true;
}

void lock_wait_over(struct lock_wait *w)
{
    if (w->has_tries)
        return;
    if (w->is_waiting && w->hooks.on_wait)
        w->hooks.on_wait(w->hooks.ctx, false);
    w->is_waiting = false;
}

enum rc lock_wait_refused(const struct lock_wait *w, const char *database, struct err *err)
{
    pid_t pid = locks_find_writer(database);
    char waited[32], name[32] = "";
    (void)text_duration(w->timeout_ms, waited, sizeof waited);
    if (pid <= 0)
        return err_set(err, RC_BUSY,
            "database %s: its write lock was not free for %s, and nobody is seen who holds it (a "
            "program in another container?); try again, and see: stint doctor",
            database, waited);
    locks_read_name(pid, name, sizeof name);
    return err_set(err, RC_BUSY,
        "database %s: %s (pid %d) holds its write lock; it was not free for %s; end its "
        "transaction (COMMIT or ROLLBACK) or the program (kill %d), then try again",
        database, name, (int)pid, waited, (int)pid);
}

void lock_wait_set_locked(struct lock_wait *w, bool is_locked)
{
    if (w->is_locked != is_locked && w->hooks.on_lock)
        w->hooks.on_lock(w->hooks.ctx, is_locked);
    w->is_locked = is_locked;
}
