/* listing: what a strategy is given: the accepted configuration, the job whose items it lists, and
 * the collect that takes them. A strategy lists and nothing else: it opens no database, writes
 * nothing, prints nothing. In stint-discover only. */
#ifndef STINT_DISCOVER_LISTING_H
#define STINT_DISCOVER_LISTING_H

#include "common/base/err.h"
#include "common/config/config.h"
#include "worker/discover/collect.h"

struct listing {
    const struct config *config;
    const struct job_spec *job;
    struct collect *collect;
};

/* Lists everything into l->collect. RC_OK also when the collect said RC_DONE (limit reached). */
typedef enum rc (*list_fn)(const struct listing *l, struct err *err);

/* The value of discover.KEY, or NULL. */
const char *listing_option(const struct listing *l, const char *key);
/* One line of JSON as an item (jsonl.h); a bad one is refused and RC_OK. As collect_item. */
MUST_CHECK enum rc listing_jsonl(
    const struct listing *l, const char *line, size_t len, int64_t number, struct err *err);

#endif
