/* script: why a file that is there cannot be executed: no #! line, one with a carriage return at
 * its end, an interpreter that is missing. Used where a program could not be started, and by `stint
 * check` before one is. Reads the file's beginning; runs nothing. */
#ifndef STINT_BASE_SCRIPT_H
#define STINT_BASE_SCRIPT_H

#include <stdbool.h>

#include "common/base/buf.h"

/* Adds what is wrong with it, and the fix; false: nothing, as far as can be told, or it cannot be
 * read. The interpreter of "#!/usr/bin/env NAME" is looked for in our own PATH. */
bool script_add_fault(const char *path, struct buf *out);

#endif
