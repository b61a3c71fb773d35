/* follow: when to look at the database again. A commit shows in the WAL file a moment before
 * readers can see it (it is synced in between), so each sign of one is followed by a few more
 * looks, ever later; then there is silence until the next sign. Looks are at least 20 ms apart,
 * however many commits there are. Used by run, wait, events -f. Looks at nothing itself. */
#ifndef STINT_CLI_FOLLOW_H
#define STINT_CLI_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/watch.h"

struct follow {
    struct watch watch;
    bool is_dirty; /* a sign came after the last look */
    size_t step;   /* further looks taken since the last sign */
    int64_t looked_mono_ns;
};

#define FOLLOW_INIT                                                                                \
    {                                                                                              \
        .watch = {.fd = -1 }                                                                       \
    }

/* The first look is due at once. */
MUST_CHECK enum rc follow_open(struct follow *f, const char *database, struct err *err);
void follow_close(struct follow *f);

/* What to poll for reading: −1 while a look is due anyway. Readable: follow_on_sign. */
int follow_fd(const struct follow *f);
int64_t follow_due_ns(const struct follow *f); /* LOOP_NEVER: only after a sign */
void follow_on_sign(struct follow *f);
void follow_looked(struct follow *f, int64_t now_mono_ns); /* call before each look */

/* The whole for those who wait for nothing else: true when it is time to look, false at the
 * deadline. */
bool follow_wait(struct follow *f, int64_t deadline_mono_ns);

#endif
