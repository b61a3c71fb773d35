/* secrets: values that stand elsewhere: @file:PATH, a file that only its owner may read, and
 * @cred:NAME, of systemd's credentials. Read once, with the sources, by whoever accepts the
 * configuration; they travel with the sources and are shown by nobody. */
#ifndef STINT_CONFIG_SECRETS_H
#define STINT_CONFIG_SECRETS_H

#include <stdbool.h>

#include "common/config/source.h"

#define SECRET_MAX_BYTES ((size_t)64 << 10)

bool secret_is_reference(const char *value);
/* Reads every secret that a key env.NAME of the sources names. What cannot be read has an error
 * instead of a value, which the parser tells with the key's place. */
void secrets_read(struct config_sources *sources);
/* By their references, as secret_find needs them. */
void secrets_sort(struct config_sources *sources);
const struct config_secret *secret_find(
    const struct config_sources *sources, const char *reference); /* or NULL */

#endif
