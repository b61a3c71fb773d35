/* values: turns the text of one key into the member that its row in the option table names. Used by
 * the parser only. Pure but for memory. */
#ifndef STINT_CONFIG_VALUES_H
#define STINT_CONFIG_VALUES_H

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/config/options.h"

/* base: the struct that option->section means; config: says where relative paths begin and which
 * resources there are. The error says what is wrong and which form is expected, without the key. */
MUST_CHECK enum rc value_set(const struct option *option, const char *value,
    const struct config *config, void *base, struct err *err);
/* The same for a key of a strategy (option->strategy), whose value stays text: only looks. */
MUST_CHECK enum rc value_check(const struct option *option, const char *value, struct err *err);

#endif
