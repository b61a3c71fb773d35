/* death: what follows the end of a child, in this order: its slot is cleared; its handlers are
 * killed and seen gone; its claims are settled (keeper_link.c); its certificate is logged; its
 * place is free. In stintd only; the requeue itself is the keeper's. */
#ifndef STINT_SUPERVISOR_DEATH_H
#define STINT_SUPERVISOR_DEATH_H

#include "supervisor/pool.h"

/* Reaps everything that has ended: children step on, strangers are gone. */
void death_reap(struct pool *pool);
/* ACT_BURY: the process is reaped, its end is in c->death. */
void death_bury(struct pool *pool, struct child *c);
/* Kills what ended children left behind; moves on those whose handlers are gone, or unkillable.
 * Returns how many strangers still live. */
size_t death_sweep(struct pool *pool);
/* ACT_CLOSE: logs the certificate and decides on the throttle. */
void death_close(struct pool *pool, struct child *c);
int64_t death_next_due(const struct pool *pool); /* when an unkillable handler is given up; or 0 */

#endif
