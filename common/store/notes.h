/* notes: what of a running attempt is written before it ends: progress, checkpoint, the items that
 * they cover, costs, and holds of resources. Every write may be repeated. Used by the worker; holds
 * are restored by the keeper. */
#ifndef STINT_STORE_NOTES_H
#define STINT_STORE_NOTES_H

#include <stdint.h>

/* Money or tokens spent by an attempt: an event of its own, once for each (claim, n). */
struct cost {
    int64_t n; /* from 1, in the order said */
    double usd;
    int64_t tokens;
    char *of; /* a label; NULL: none */
};

#endif
