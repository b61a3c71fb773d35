/* programs: the files that a configuration has run: where they lie, and whether others may write
 * them, and so run what they like with the pool's rights. Looks at the file system, runs nothing.
 * Used by the supervisor before it accepts a configuration, and by `stint check`. */
#ifndef STINT_CONFIG_PROGRAMS_H
#define STINT_CONFIG_PROGRAMS_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/config/config.h"

/* A path relative to the configuration's directory, without "/./" inside. Caller frees. */
char *program_path(const struct config *config, const char *name);
/* Where a program lies: named with a slash, or in PATH. NULL: not there. Caller frees. */
char *program_find(const struct config *config, const char *name);
/* The script of "python3 ./fetch.py"; NULL: argv[0] is the program itself, as far as we know. */
const char *program_script(char *const *argv);
/* What is wrong with who may write this file, with the fix; false: nothing. */
bool program_add_writable(const char *path, bool is_ours, struct buf *out);

/* "FILE:LINE: [SECTION] " of a key that is given; the section alone if it is not. */
void place_add(
    struct buf *out, const struct origins *origins, const char *key, const char *section);
/* The same of a stage's handler: a job's only stage has it in the job's section. */
void place_add_handler(struct buf *out, const struct job_spec *job, const struct stage_spec *stage);

/* What keeps a program, named as in a handler, from being run; false: nothing. */
bool program_add_fault(const struct config *config, const char *name, struct buf *out);
/* A line if a stage's handler or its script cannot be run, or may be written by others. */
void program_check_handler(const struct config *config, const struct job_spec *job,
    const struct stage_spec *stage, struct buf *out);

/* The same of all stages. */
void programs_check(const struct config *config, struct buf *out);
/* Every handler and its script that others may write: a line each. */
void programs_check_writable(const struct config *config, struct buf *problems);

#endif
