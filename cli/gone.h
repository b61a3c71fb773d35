/* gone: jobs that the database still knows and the configuration does not: what lies in them, and
 * what can be done about it, in words. Used by the commands that want a job by name, and by wait,
 * run. Reads the store; changes nothing. */
#ifndef STINT_CLI_GONE_H
#define STINT_CLI_GONE_H

#include "cli/context.h"
#include "cli/overview.h"

/* As cli_job(), but a job that was removed is called so. May open the store, for reading, before it
 * returns NULL. */
const struct job_spec *gone_or_job(struct cli *cli, const char *name);

/* "430 open stage runs are not counted: …: old (430); …", no line end. False: there is nothing to
 * say. */
bool gone_add_note(struct buf *out, const struct overview *o);

#endif
