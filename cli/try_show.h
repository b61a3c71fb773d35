/* try_show: what happens in a trial, for people: a line or two for each event that stint-worker
 * tells (worker/trial_say.h). Used by cmd_try.c. Writes into a buf; decides nothing. */
#ifndef STINT_CLI_TRY_SHOW_H
#define STINT_CLI_TRY_SHOW_H

#include <jansson.h>

#include "cli/context.h"

struct try_show {
    const struct cli *cli;
    const struct job_spec *job;
    const struct stage_spec *stage;
    const char *key;
    bool has_fault; /* the handler has said what it must not say */
};

void try_show_stage(const struct try_show *s, int64_t attempt, struct buf *out);
/* An event, parsed, and the line that it was; the end, too. */
void try_show_event(struct try_show *s, const json_t *event, const char *line, struct buf *out);

#endif
