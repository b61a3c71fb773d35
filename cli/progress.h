/* progress: one line that says how far the work is: "licences 612/795 done · 4 running · 0 failed ·
 * 412/s · ~1 s left". On a terminal it stays in place and is redrawn at most every 100 ms; else it
 * is a new line every 10 s. Used by `run`, `wait` (what it shows comes from overview.h) and `add`.
 * Writes to descriptor 2 only. */
#ifndef STINT_CLI_PROGRESS_H
#define STINT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/overview.h"
#include "common/base/buf.h"

#define PROGRESS_SAMPLES 32
#define PROGRESS_DRAW_NS (INT64_C(100) * 1000 * 1000)
#define PROGRESS_LINE_NS (INT64_C(10) * 1000 * 1000 * 1000)

struct progress_sample {
    int64_t mono_ns, done;
};

struct progress {
    bool is_terminal, is_quiet;
    size_t width;
    struct progress_sample samples[PROGRESS_SAMPLES]; /* a ring: the rate is over these */
    size_t samples_len, samples_next;
    struct progress_sample newest;
    int64_t drawn_mono_ns; /* 0: never */
    bool is_shown;         /* there is a line on the terminal */
    char *last;            /* what was said last, so that nothing is said twice */
};

void progress_init(struct progress *p, bool is_terminal, bool is_quiet, size_t width);
void progress_fini(struct progress *p); /* clears the line */

/* When the next drawing is allowed (monotonic). */
int64_t progress_due_ns(const struct progress *p);
/* Draws; job NULL: all of them. */
void progress_draw(struct progress *p, const struct overview *o, const char *job, int64_t now_ns);
/* Takes the line away, so that something else can be written. */
void progress_clear(struct progress *p);

/* Pure: the text of the line; rate_per_s < 0: unknown. */
struct progress_numbers {
    const char *name;                                       /* of the job, or "3 jobs" */
    int64_t items, done, running, failed, retrying, paused; /* paused: stages */
    int64_t rest;                                           /* items not yet at an end */
    bool is_finding;
    double rate_per_s;
};
void progress_format(struct buf *out, const struct progress_numbers *n);

/* A file on its way in: "news [====>     ] 41% · 412,000 items · 98,123/s · ~6s left". */
struct progress_adding {
    const char *name;                      /* of the job */
    int64_t items, done_bytes, size_bytes; /* size_bytes 0: nobody knows */
    double rate_per_s;                     /* items; < 0: unknown */
    bool has_bar;
};
void progress_format_adding(struct buf *out, const struct progress_adding *n);
/* Draws when it is due; call it at every step. Fills rate_per_s and has_bar in by itself. */
void progress_draw_adding(struct progress *p, const struct progress_adding *n, int64_t now_ns);

#endif
