/* values: turns the text of one key into the member that its row in the option table names. Used by
 * the parser only. Pure but for memory. */
#ifndef STINT_CONFIG_VALUES_H
#define STINT_CONFIG_VALUES_H

#include "common/base/err.h"
#include "common/config/options.h"

/* base: the pool_options, job_spec or stage_spec that option->section means; directory: where
 * relative paths begin. The error says what is wrong and which form is expected, without the key.
 */
MUST_CHECK enum rc value_set(const struct option *option, const char *value, const char *directory,
    void *base, struct err *err);
/* The same for a key of a strategy (option->strategy), whose value stays text: only looks. */
MUST_CHECK enum rc value_check(const struct option *option, const char *value, struct err *err);

#endif
