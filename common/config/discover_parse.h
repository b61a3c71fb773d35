/* discover_parse: the value of `discover =` (STRATEGY ARGS) and what goes with it: the name of each
 * strategy. Used by the parser only. Pure. */
#ifndef STINT_CONFIG_DISCOVER_PARSE_H
#define STINT_CONFIG_DISCOVER_PARSE_H

#include "common/base/err.h"
#include "common/config/config.h"

/* Sets discover and discover_arg of the job, on success only. */
MUST_CHECK enum rc discover_parse(const char *text, struct job_spec *job, struct err *err);
const char *discover_kind_name(enum discover_kind kind);

#endif
