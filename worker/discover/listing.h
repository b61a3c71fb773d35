/* listing: what a strategy is given: the accepted configuration, the job whose items it lists, and
 * the collect that takes them. A strategy lists and nothing else: it opens no database, writes
 * nothing, prints nothing. In stint-discover only. */
#ifndef STINT_DISCOVER_LISTING_H
#define STINT_DISCOVER_LISTING_H

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/records/records.h"
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
/* Where the key stands, from discover.key; the format is the caller's. */
struct records_opts listing_records_opts(const struct listing *l);
/* All items that are there; a bad one is refused and counted. RC_OK: that was the end; RC_AGAIN: a
 * non-blocking descriptor has no more now; RC_DONE: the limit is reached; else an error. */
MUST_CHECK enum rc listing_take(const struct listing *l, struct records *records, struct err *err);

#endif
