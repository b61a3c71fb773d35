/* crash: named crash points for the torture tests; nothing at all unless built with
 * -Dcrash_points=true. A process that reaches a point named in STINT_CRASH_POINT (a comma list;
 * PREFIX* is allowed) kills itself with SIGKILL if it can remove one of the token files in the
 * directory STINT_CRASH_TOKENS: as many deaths as tokens. */
#ifndef STINT_BASE_CRASH_H
#define STINT_BASE_CRASH_H

#ifdef STINT_CRASH_POINTS
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
