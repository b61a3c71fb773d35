/* match: whether one stage run is what a filter asks for. Pure; the only place where a condition is
 * decided: whatever reads rows from an index only brings candidates. */
#ifndef STINT_FILTER_MATCH_H
#define STINT_FILTER_MATCH_H

#include "common/filter/filter.h"

/* Texts are borrowed; NULL counts as empty. */
struct filter_subject {
    const char *job, *stage, *key, *error, *source;
    enum stage_status status;
    enum item_status item; /* needed only if the filter has a word about it */
    int64_t attempts, interruptions, priority;
    int64_t added_wall_ms, changed_wall_ms;
};

bool filter_matches(
    const struct filter *filter, const struct filter_subject *subject, int64_t now_wall_ms);
/* One field alone: whether every word about it holds for this text (job, stage). */
bool filter_allows_text(const struct filter *filter, enum filter_field field, const char *text);
/* The statuses that the words about status leave, as bits 1 << status. */
uint32_t filter_statuses(const struct filter *filter);

#endif
