/* spawned: items that a running handler adds, in the caller's transaction: that of its outcome, or
 * of a bite before. They come from the item of the run (source spawn, parent, depth), and are
 * merged as `stint add` merges. Called by outcome.c and notes.c. */
#ifndef STINT_STORE_SPAWNED_H
#define STINT_STORE_SPAWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPAWN_BITE 1000 /* so many at most in the transaction of an outcome */

/* One item that a handler wants added. */
struct spawn_item {
    char *job; /* NULL: the job of the run */
    char *key;
    char *data; /* JSON text; NULL: none */
    int64_t priority;
    bool has_priority;
};

#endif
