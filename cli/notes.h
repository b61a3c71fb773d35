/* notes: what several commands say about an overview in words, alike: which stages are paused and
 * until when, for which jobs finding items failed. Used by status, run, wait. Pure: text out. */
#ifndef STINT_CLI_NOTES_H
#define STINT_CLI_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/overview.h"
#include "common/base/buf.h"

/* "paused: man.size until 02:14:10Z (in 41s): why", a line a stage, or a job as a whole; job only:
 * NULL is all; now_wall_ms 0: without "(in …)". Nothing when none is. */
void notes_add_paused(
    struct buf *out, const struct overview *o, const char *only, int64_t now_wall_ms);

/* " until 02:14:10Z (in 41s)", with its date when it is more than a day away; nothing when
 * until_wall_ms is 0. */
void notes_add_until(struct buf *out, int64_t until_wall_ms, int64_t now_wall_ms);

/* "finding items failed for a, b", for one ": why" behind it; no line end. False: there is nothing
 * to say. */
bool notes_add_failed_finding(struct buf *out, const struct overview *o, const char *only);

#endif
