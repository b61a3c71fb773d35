/* heard: what a handler has said about one attempt so far: a message applied to what was heard
 * before. Whoever listens (guard.c to an exec handler, resident.c) applies each message and carries
 * out what that asks for by notes.c; attempt.c makes the outcome of it. Pure; owns its memory. */
#ifndef STINT_WORKER_HEARD_H
#define STINT_WORKER_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/protocol/message.h"
#include "common/store/cost.h"
#include "common/store/spawned.h"

#define HEARD_LINE_SHOWN 160          /* of a line that breaks the protocol */
#define HEARD_LIMIT_MS INT64_C(60000) /* a limit that does not say for how long */

/* What is to be done about a message. */
enum heard_news {
    HEARD_NOTHING, /* a type that is not known, a hello */
    HEARD_NOTE,    /* progress, checkpoint: to be written soon */
    HEARD_SPAWN,   /* more items: to be written with a checkpoint, the outcome, or in bites */
    HEARD_COST,    /* to be written at once */
    HEARD_LIMIT,   /* likewise: the message's resource, key and after_ms */
    HEARD_LOG,     /* the message's level and text */
    HEARD_OUTCOME, /* the first, which counts */
    HEARD_LATE,    /* said after the outcome, or after what is refused: dropped */
};

struct heard {
    enum message_type outcome; /* MESSAGE_UNKNOWN: none yet */
    struct buf result, why;    /* of the outcome */
    int64_t after_ms;          /* −1: not said */
    bool continues;            /* wait: on_failure */
    bool has_limit;            /* it met a limit: its own retry counts no attempt */
    int64_t limit_ms;          /* the longest retry_after of these */
    uint64_t late;             /* messages after the outcome */

    struct buf progress, checkpoint;           /* the newest; empty: none */
    bool has_new_progress, has_new_checkpoint; /* not yet written */

    struct spawn_item *items; /* not yet written */
    size_t items_len, items_cap;
    size_t items_covered;  /* so many of them were said before the newest checkpoint */
    int64_t items_written; /* in bites before */

    struct cost *costs; /* not yet written */
    size_t costs_len, costs_cap;
    int64_t costs_said;

    struct buf broken; /* how it broke the protocol, the first time; empty: it did not */
    bool is_refused;   /* broken says what will never be taken, rather */
};

#define HEARD_INIT                                                                                 \
    {                                                                                              \
        .outcome = MESSAGE_UNKNOWN, .after_ms = -1                                                 \
    }

void heard_fini(struct heard *h);
/* Takes what it needs out of *m. */
enum heard_news heard_apply(struct heard *h, struct message *m);
/* A line that is no message: what is wrong with it, where (a column from 1; 0: the whole), and the
 * line itself, printable and bounded. Only the first counts, and none after the outcome. */
void heard_break(struct heard *h, const char *what, size_t column, const char *line, size_t len);
static inline bool heard_is_broken(const struct heard *h)
{
    return h->broken.len > 0;
}

/* What will never be taken (items of an unknown job, too many): the attempt has failed for good,
 * and nothing more of it is written. Not after an earlier complaint. */
void heard_refuse(struct heard *h, const char *why);

/* The first n items are written, and progress and checkpoint as they are now. */
void heard_wrote(struct heard *h, size_t items, bool has_progress, bool has_checkpoint);
void heard_wrote_costs(struct heard *h, size_t n);
/* What no outcome and no checkpoint covers is forgotten. */
void heard_drop_uncovered(struct heard *h);

#endif
