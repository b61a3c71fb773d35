/* lives: the block of life numbers that the keeper took from the database, and a second one that is
 * ordered before the first runs out. A number is given once. Called by pool.c and keeper_link.c, in
 * stintd only. */
#ifndef STINT_SUPERVISOR_LIVES_H
#define STINT_SUPERVISOR_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#define LIVES_LOW 256

struct lives {
    int64_t next, last;             /* the block in use; next > last: used up */
    int64_t spare_next, spare_last; /* the block after it */
    int64_t highest;                /* of all blocks ever taken */
};

void lives_init(struct lives *lives);
/* False: not a block that may be used (out of range, or not above all earlier ones): dropped. */
bool lives_add(struct lives *lives, int64_t first, int64_t last);
int64_t lives_take(struct lives *lives); /* 0: none left */
int64_t lives_left(const struct lives *lives);

#endif
