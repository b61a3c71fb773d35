/* discoveries: the items of the hidden job @discover: one for each job that finds its own items.
 * Opened at pool start (all), and by a reload (jobs that are new, or are found in another way).
 * Used by the keeper by way of add.h, and by reload.c. */
#ifndef STINT_STORE_DISCOVERIES_H
#define STINT_STORE_DISCOVERIES_H

#include "common/store/add.h"
#include "common/store/internal.h"
#include "common/store/reload.h"

/* Inside the caller's transaction. only: of these jobs; NULL: of all. What has no job that is
 * discovered any more is skipped in any case. Adds to *report. */
MUST_CHECK enum rc discoveries_open(struct store *store, const struct catalog *catalog,
    const struct name_list *only, struct add_report *report, struct err *err);

#endif
