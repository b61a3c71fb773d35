/* review: recomputes what should be true of the pool and makes it so: stopping, sweeping, the
 * keeper, orders, refills, retirement, the end. Every callback of the loop changes records only and
 * then calls this once. In stintd only. */
#ifndef STINT_SUPERVISOR_REVIEW_H
#define STINT_SUPERVISOR_REVIEW_H

#include "supervisor/pool.h"

void pool_review(struct pool *pool);

#endif
