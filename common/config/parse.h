/* parse: sources in, struct config or all errors out. The only user of inih (ini_reader.c). Used by
 * every process. Pure but for memory. */
#ifndef STINT_CONFIG_PARSE_H
#define STINT_CONFIG_PARSE_H

#include "common/base/buf.h"
#include "common/config/config.h"
#include "common/config/source.h"

/* On RC_INVALID, problems (may be NULL) has one line a problem: "FILE:LINE: what; what to do". All
 * problems are found in one go. Caller frees *ret by config_free. */
MUST_CHECK enum rc config_parse(
    const struct config_sources *sources, struct config **ret, struct buf *problems);

/* The same; how many problems there are: problems has the first ones only, without a word about the
 * rest. *ret_count is set in any case. */
MUST_CHECK enum rc config_parse_counted(const struct config_sources *sources, struct config **ret,
    struct buf *problems, size_t *ret_count);
void config_add_rest(struct buf *problems, size_t count); /* that word */

/* Where [pool] puts the control socket, be the rest as wrong as it may; what of it is not known has
 * its default. Caller frees. */
char *config_named_socket(const struct config_sources *sources);

/* From packed sources (source.h), as the configuration box of a pool holds them. */
MUST_CHECK enum rc config_from_block(
    const char *data, size_t len, struct config **ret, struct err *err);
/* The same from a sealed descriptor that holds them alone: for stint-discover. */
MUST_CHECK enum rc config_from_fd(int fd, struct config **ret, struct err *err);

#endif
