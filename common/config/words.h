/* words: splits a command line of the configuration into words: at blanks, with '…' and "…" quoting
 * (\" and \\ inside double quotes), and nothing else: no variables, no globs, no shell. Pure. */
#ifndef STINT_CONFIG_WORDS_H
#define STINT_CONFIG_WORDS_H

#include <stddef.h>

#include "common/base/err.h"

/* At least one word; *ret is NULL-terminated, caller frees by words_free. */
MUST_CHECK enum rc words_split(const char *text, char ***ret, size_t *ret_len, struct err *err);
void words_free(char **words); /* takes NULL */

#endif
