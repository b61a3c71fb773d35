/* handler_parse: the value of `handler =`: exec PROGRAM ARGS…, shell COMMAND, builtin NAME. Used by
 * the parser only. Pure. */
#ifndef STINT_CONFIG_HANDLER_PARSE_H
#define STINT_CONFIG_HANDLER_PARSE_H

#include "common/base/err.h"
#include "common/config/config.h"

/* *ret is written on success only; caller ends it by handler_fini. */
MUST_CHECK enum rc handler_parse(const char *text, struct handler *ret, struct err *err);
void handler_fini(struct handler *handler);

#endif
