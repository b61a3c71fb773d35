/* changes: every difference between two parsed configurations, and what each means on reload. Used
 * by the supervisor's reload, by `reload -n` and `config diff`. Decides nothing else. Pure but for
 * memory. */
#ifndef STINT_CONFIG_CHANGES_H
#define STINT_CONFIG_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/config.h"
#include "common/config/options.h"

struct change {
    const char *section;  /* "pool", "resource github", "job news", "stage news.fetch" */
    const char *key;      /* NULL: the whole section was added or removed */
    const char *old_text; /* as a person would write it; NULL: was not there */
    const char *new_text; /* the same; NULL: is no longer there; "" for a whole section */
    enum option_class class;
    bool is_for_next; /* only attempts that begin after it go by it */
};

struct changes_summary {
    size_t count;
    bool has_restart;            /* refused by reload: the pool must be started anew */
    bool has_spec;               /* workers of the old one leave when they are empty */
    bool has_pool;               /* the supervisor's own: number of workers, its timeouts */
    bool has_tuning;             /* applied in place */
    enum option_class strongest; /* restart, spec, pool, tuning; the last too if there is none */
};

/* Valid during the call only. */
typedef void (*change_fn)(void *ctx, const struct change *change);

/* fn may be NULL. First what changed or is gone, in the order of the old one, then what is new.
 * A job or stage that comes or goes is one change; so is a resource. Defaults count: a key that is
 * written out with its default value is no change. A secret is never shown: of one whose content
 * changed, new_text is its reference and " (changed)". */
struct changes_summary config_changes(
    const struct config *old, const struct config *new, change_fn fn, void *ctx);

#endif
