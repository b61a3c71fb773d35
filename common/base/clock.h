/* clock: the two clocks. Monotonic nanoseconds for deadlines and liveness, wall milliseconds for
 * what people read and the database stores; the two never meet in one expression. */
#ifndef STINT_BASE_CLOCK_H
#define STINT_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

int64_t clock_mono_ns(void);
int64_t clock_wall_ms(void);
/* What the wall clock showed at a moment of the monotonic one, as both stand now. */
int64_t clock_wall_ms_at(int64_t mono_ns);
/* RFC 3339 UTC with milliseconds, "2026-11-22T23:25:21.123Z"; cap >= 25. Returns out. */
char *clock_format_wall(int64_t wall_ms, char *out, size_t cap);

#endif
