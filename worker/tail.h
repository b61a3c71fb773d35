/* tail: what a handler says in free text, or by messages of type log: the newest bytes are kept for
 * the event of an attempt that fails, and whole lines are shown at once to who looks on
 * (common/ipc/live.h). Bounded: whoever talks faster than that loses the middle, never the pool's
 * time. Used by guard.c, resident.c and whoever hears log messages; decides nothing. */
#ifndef STINT_WORKER_TAIL_H
#define STINT_WORKER_TAIL_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/ipc/live.h"

/* Of which attempt the lines are. Texts are borrowed. */
struct tail_about {
    const char *job, *stage, *key;
    int64_t claim, attempt;
};

struct tail {
    struct buf text;   /* the newest bytes */
    size_t keep;       /* so many of them are wanted at the end */
    size_t shown_len;  /* of text: already shown, or passed over */
    uint64_t left_out; /* bytes that were not shown, so far */
    size_t quiet_len;  /* what was shown since that was said; SIZE_MAX: it has grown since */
};

/* live and slot of this worker; NULL: nobody can look on. show (may be NULL): who gets the lines
 * besides. */
struct tail_live {
    struct live_mem *live;
    uint32_t slot;
    void (*show)(void *ctx, const char *name, const char *text, size_t len);
    void *ctx;
};

void tail_init(struct tail *t, size_t keep);
void tail_fini(struct tail *t);
/* Reads what is there, a bounded share. RC_AGAIN: all there was; RC_LIMIT: there is more; RC_DONE:
 * end of file, or RC_SYS: close it. */
MUST_CHECK enum rc tail_read(struct tail *t, int fd);
/* Shows the new lines under this name ("stderr"); is_end: what is behind the last line break, too.
 */
void tail_show(struct tail *t, const struct tail_live *to, const struct tail_about *about,
    const char *name, bool is_end);
/* A log message: shown at once under its level, and kept as a line "LEVEL: TEXT". */
void tail_log(struct tail *t, const struct tail_live *to, const struct tail_about *about,
    const char *level, const char *text);
/* The newest bytes, keep at most. */
const char *tail_kept(const struct tail *t, size_t *ret_len);

#endif
