/* add_stream: items out of a file or standard input, with a line that says how far it is, until its
 * end, the first bad record, or SIGINT. Used by cmd_add.c. */
#ifndef STINT_CLI_ADD_STREAM_H
#define STINT_CLI_ADD_STREAM_H

#include "cli/adding.h"

/* from: a path, or "-". */
enum cli_exit add_stream(struct adding *a, const char *from, enum record_format format);

#endif
