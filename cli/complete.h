/* complete: what may stand where the cursor is, by the table of commands: command, sub-command,
 * option, an option's word, job, stage, filter. Used by `stint completion --candidates`, which the
 * shells' scripts call, so that these never know a command by name. Pure. */
#ifndef STINT_CLI_COMPLETE_H
#define STINT_CLI_COMPLETE_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/config/config.h"

/* words: after "stint", the last one as far as it is typed. config NULL: no names of jobs. Adds a
 * line a candidate, "WORD\tWHAT IT IS"; or ":file", ":dir": the shell knows better. */
void complete_words(char *const *words, size_t len, const struct config *config, struct buf *out);
/* The value of -c among the words, or NULL. */
const char *complete_config(char *const *words, size_t len);

#endif
