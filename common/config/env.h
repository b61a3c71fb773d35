/* env: the keys env.NAME = VALUE of a stage: the variables that its handlers get. Used by the
 * parser only; the values are used by worker/ and worker/discover/. Pure but for memory. */
#ifndef STINT_CONFIG_ENV_H
#define STINT_CONFIG_ENV_H

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/config/ini_reader.h"
#include "common/config/source.h"

#define ENV_LEN_MAX 256 /* variables of a stage */

/* Adds the variable, or replaces the one of this name. The value of a secret is taken from the
 * sources. origin: without key; copied. */
MUST_CHECK enum rc env_set(struct env *env, const struct ini_pair *pair,
    const struct config_sources *sources, const struct origin *origin, struct err *err);
void env_copy(struct env *to, const struct env *from); /* to: empty */
void env_fini(struct env *env);

#endif
