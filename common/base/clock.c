#include "common/base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_mono_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / NS_PER_MS;
}

int64_t clock_wall_ms_at(int64_t mono_ns)
{
    int64_t best_gap = INT64_MAX, wall_ns = 0;
    for (int i = 0; i < 4; i++) { /* the tightest of a few pairs: others were interrupted */
        struct timespec ts;
        int64_t before = clock_mono_ns();
        (void)clock_gettime(CLOCK_REALTIME, &ts);
        int64_t gap = clock_mono_ns() - before;
        if (gap >= best_gap)
            continue;
        best_gap = gap;
        wall_ns = ts.tv_sec * NS_PER_S + ts.tv_nsec + (mono_ns - before - gap / 2);
    }
    return wall_ns / NS_PER_MS;
}

char *clock_format_wall(int64_t wall_ms, char *out, size_t cap)
{
    int64_t ms = wall_ms % 1000;
    if (ms < 0)
        ms += 1000;
    time_t seconds = (time_t)((wall_ms - ms) / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        (void)snprintf(out, cap, "?");
        return out;
    }
    (void)snprintf(out, cap, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    return out;
}
