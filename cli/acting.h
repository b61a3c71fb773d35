/* acting: what retry and cancel (and later hold, release, skip) have in common: how many it would
 * be, the question, the bites with their progress, what became of it, how to undo it. Used by
 * cmd_retry.c and cmd_cancel.c. */
#ifndef STINT_CLI_ACTING_H
#define STINT_CLI_ACTING_H

#include "cli/filtering.h"
#include "cli/undo.h"
#include "common/store/act.h"

struct acting_words {
    enum act act;
    const char *infinitive, *past; /* "retry", "retried" */
    const char *concerns;          /* the statuses that it is about, in words */
    struct undo_words undo;
};

enum cli_exit acting_run(struct cli *cli, const struct acting_words *words);

#endif
