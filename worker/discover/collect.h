/* collect: what all strategies share: takes the items they list, checks keys, drops repeats within
 * a bite, keeps the limit, adds bites of 1,000 to the store and tells an answering pool to wake
 * workers for them. Memory is bounded by one bite. In stint-discover only. Prints refused entries
 * (never more than ten) on standard error; one bad entry does not stop the others. */
#ifndef STINT_DISCOVER_COLLECT_H
#define STINT_DISCOVER_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/store/add.h"

#define COLLECT_BITE 1000
#define COLLECT_EXAMPLES 5

struct collect_opts {
    struct store *store;           /* NULL: nothing is there yet, everything counts as new (-n) */
    const struct catalog_job *job; /* NULL with store */
    bool is_merge_keep;            /* a repeat within a bite leaves the data as it was */
    bool is_dry_run;
    int64_t limit;      /* 0: none */
    const char *socket; /* of the pool; NULL: wake nobody */
};

/* What a strategy lists. Texts are borrowed. */
struct listed {
    const char *key; /* any bytes: checked here */
    size_t key_len;
    const char *data; /* a JSON object, or NULL */
    int64_t priority;
    bool has_priority; /* else the job's */
    int64_t line;      /* where it stands; 0: nowhere */
};

struct collect_totals {
    int64_t found; /* distinct within their bite: new + merged + reopened + unchanged */
    int64_t refused;
    struct add_report added;
    char *examples[COLLECT_EXAMPLES];
    size_t examples_len;
};

struct collect;

struct collect *collect_new(const struct collect_opts *opts);
void collect_free(struct collect *c);
/* Where the items come from, for errors: "FILE" of FILE:LINE. Borrowed. */
void collect_set_source(struct collect *c, const char *source);

/* RC_DONE: the limit is reached, list no more. Other errors are the store's. */
MUST_CHECK enum rc collect_item(struct collect *c, const struct listed *item, struct err *err);
/* An entry is no item; says so and counts it. why begins with its place: "FILE:LINE: …". */
void collect_refuse(struct collect *c, const char *why);
/* Adds what has been collected so far: at the end, and when a slow source pauses. */
MUST_CHECK enum rc collect_flush(struct collect *c, struct err *err);
bool collect_is_empty(const struct collect *c); /* nothing waits for a flush */
const struct collect_totals *collect_totals(const struct collect *c);

#endif
