/* names: which of a statement's names is this one? Callers ask in the order of the statement's
 * head, so the search goes on where the last one ended. Used by the drivers. */
#ifndef STINT_STORE_NAMES_H
#define STINT_STORE_NAMES_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Looks from *hint on, once around; leaves it behind what was found. */
static inline size_t names_find(
    const char *const *names, size_t len, const char *name, size_t *hint)
{
    for (size_t i = 0; i < len; i++) {
        size_t at = *hint < len ? *hint : 0;
        *hint = at + 1;
        if (strcmp(names[at], name) == 0)
            return at;
    }
    assert(!"a name that the statement's head does not have");
    abort();
}

#endif
