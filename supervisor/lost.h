/* lost: the end of a pool whose database is not there any more, or is another's, or is damaged: it
 * stops, and is not to be started again before somebody has looked (exit 78). In stintd only. */
#ifndef STINT_SUPERVISOR_LOST_H
#define STINT_SUPERVISOR_LOST_H

#include "supervisor/pool.h"

/* may_settle: the keeper has the right file open and ends the pool in order; else everybody is
 * killed at once, and nothing is written any more. */
void lost_database(struct pool *pool, bool may_settle);
/* The directory at the database's path is the one that this pool has locked; if not, says so and
 * stops the pool. */
bool lost_look(struct pool *pool);

#endif
