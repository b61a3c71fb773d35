#include "cli/follow.h"

#include "cli/loop.h"
#include "common/base/clock.h"

static const int64_t gaps_ns[] = {20 * NS_PER_MS, 100 * NS_PER_MS, 500 * NS_PER_MS, 2 * NS_PER_S};
#define GAPS_LEN (sizeof(gaps_ns) / sizeof(gaps_ns[0]))

enum rc follow_open(struct follow *f, const char *database, struct err *err)
{
    *f = (struct follow)FOLLOW_INIT;
    f->is_dirty = true;
    return watch_open(database, &f->watch, err);
}

void follow_close(struct follow *f)
{
    if (f)
        watch_close(&f->watch);
}

int follow_fd(const struct follow *f)
{
    return f->is_dirty ? -1 : f->watch.fd;
}

int64_t follow_due_ns(const struct follow *f)
{
    if (f->is_dirty)
        return f->looked_mono_ns ? f->looked_mono_ns + gaps_ns[0] : 0;
    return f->step < GAPS_LEN ? f->looked_mono_ns + gaps_ns[f->step] : LOOP_NEVER;
}

void follow_on_sign(struct follow *f)
{
    watch_drain(&f->watch);
    f->is_dirty = true;
}

void follow_looked(struct follow *f, int64_t now_mono_ns)
{
    f->step = f->is_dirty ? 0 : f->step + 1;
    f->is_dirty = false;
    f->looked_mono_ns = now_mono_ns;
}

bool follow_wait(struct follow *f, int64_t deadline_mono_ns)
{
    for (;;) {
        int64_t due = follow_due_ns(f);
        int64_t until = due < deadline_mono_ns ? due : deadline_mono_ns;
        if (loop_wait_fd(follow_fd(f), until))
            follow_on_sign(f);
        else
            return due <= deadline_mono_ns;
    }
}
