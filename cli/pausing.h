/* pausing: what pause and resume have in common: the job or stage that the word names, the store
 * opened as the command needs it, and how a pause is said. Used by these two. Changes no pause. */
#ifndef STINT_CLI_PAUSING_H
#define STINT_CLI_PAUSING_H

#include <stdbool.h>

#include "cli/context.h"
#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/store/pause_act.h"

struct pausing {
    struct cli *cli;
    const char *name; /* as typed: JOB or JOB.STAGE */
    const struct job_spec *job;
    const struct stage_spec *stage; /* NULL: the whole job */
    bool is_dry_run;
    bool is_known; /* target is set: the database knows it */
    struct pause_target target;
};

/* Reads the first word, and opens the store: for reading only with -n, for writing else. */
MUST_CHECK enum cli_exit pausing_open(struct cli *cli, struct pausing *ret);
/* " until 14:02:10Z (in 59m 30s)", or nothing when it has no end; then ": REASON". */
void pausing_add_state(struct buf *out, const struct pause_state *state);
/* Members of the JSON answer. */
void pausing_json_begin(struct json *j, const char *schema, const struct pausing *p);

#endif
