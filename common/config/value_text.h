/* value_text: a member of the configuration's structs as the text that a person would write for it:
 * the reverse of values.h. Used to show and to compare. Pure but for memory. */
#ifndef STINT_CONFIG_VALUE_TEXT_H
#define STINT_CONFIG_VALUE_TEXT_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/config/config.h"
#include "common/config/options.h"

/* Adds the text; false: the key has no value. base: the struct that option->section means. Equal
 * texts mean equal values. Not for the keys of a strategy (option->strategy). */
bool value_add_text(
    const struct option *option, const struct config *config, const void *base, struct buf *out);
/* Its member is an array of char, empty for none. */
bool value_is_letters(const struct option *option);

#endif
