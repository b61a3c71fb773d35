/* judge: the tick: reads all heartbeats, grants amnesty after a stall of our own, and condemns who
 * is hung. Beats are read here only (and once more at a death), not as they come: 32 idle workers
 * then cost four wakes a second, not 32. Called by the loop's tick, in stintd only. */
#ifndef STINT_SUPERVISOR_JUDGE_H
#define STINT_SUPERVISOR_JUDGE_H

#include "supervisor/pool.h"

int64_t judge_period_ms(const struct policy_limits *limits);
void judge_tick(void *pool); /* time_fn */

#endif
