/* try_item: what a trial is about: the item as the database has it, or one made up of the command
 * line; and for each stage the run that the pool would begin: attempt, checkpoint, inputs. Used by
 * cmd_try.c. Reads only. */
#ifndef STINT_CLI_TRY_ITEM_H
#define STINT_CLI_TRY_ITEM_H

#include "cli/context.h"
#include "common/store/look_item.h"

struct try_item {
    const struct job_spec *job;
    char *key;
    struct buf data;
    int64_t id; /* 0: the database does not know it */
    int64_t depth;
    struct item_results stored;
    char **results; /* of this trial, by stage: JSON text; NULL: none yet */
};

/* By the words and flags of the command. Finish *ret in any case. */
enum cli_exit try_item_take(struct cli *cli, const struct job_spec *job, struct try_item *ret);
void try_item_fini(struct try_item *item);

/* For trying_start. */
enum cli_exit try_item_run(const struct cli *cli, const struct try_item *item,
    const struct stage_spec *stage, int64_t *ret_attempt, struct buf *out);

#endif
