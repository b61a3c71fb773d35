/* statuses: the statuses of a stage run, and those that are derived for an item, as one list each:
 * enum, names and counts come from here. Vocabulary for every folder; what a status may become
 * stands in common/store/ending.h. Decides nothing. */
#ifndef STINT_BASE_STATUSES_H
#define STINT_BASE_STATUSES_H

#define STAGE_STATUSES(X)                                                                          \
    X(BLOCKED, blocked)                                                                            \
    X(PENDING, pending)                                                                            \
    X(IN_PROGRESS, in_progress)                                                                    \
    X(RETRY_LATER, retry_later)                                                                    \
    X(HELD, held)                                                                                  \
    X(DONE, done)                                                                                  \
    X(SKIPPED, skipped)                                                                            \
    X(FAILED, failed)                                                                              \
    X(EXHAUSTED, exhausted)                                                                        \
    X(CANCELLED, cancelled)

#define STATUS_ENUM(upper, lower) STATUS_##upper,
enum stage_status { STAGE_STATUSES(STATUS_ENUM) STATUS_COUNT };
#undef STATUS_ENUM

/* In this order of precedence: the view item_derived_status. */
#define ITEM_STATUSES(X)                                                                           \
    X(FAILED, failed)                                                                              \
    X(CANCELLED, cancelled)                                                                        \
    X(DONE, done)                                                                                  \
    X(IN_PROGRESS, in_progress)                                                                    \
    X(PENDING, pending)

#define ITEM_ENUM(upper, lower) ITEM_##upper,
enum item_status { ITEM_STATUSES(ITEM_ENUM) ITEM_STATUS_COUNT };
#undef ITEM_ENUM

#endif
