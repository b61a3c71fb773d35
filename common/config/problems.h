/* problems: collects what is wrong with a configuration, one line a problem, each with its place:
 * "FILE:LINE: …", or "STINT_POOL_KEY: …" for what came from the environment. Used by the parser
 * only. Never stops the parser: all problems are found in one go. */
#ifndef STINT_CONFIG_PROBLEMS_H
#define STINT_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

/* A file with thousands of wrong lines is not a configuration; the rest is only counted. */
#define PROBLEMS_SHOWN_MAX 100

struct problems {
    struct buf *out; /* borrowed; NULL: only counted */
    size_t count;
};

struct place {
    const char *file; /* borrowed */
    size_t line;
    const char *variable; /* key of [pool] that came from the environment, else NULL; borrowed */
};

/* Control characters in the text are escaped: it shows what stands in the file. */
void problem_add(struct problems *problems, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* One that says itself where it is. */
void problem_add_text(struct problems *problems, const char *text);
/* One more will not be shown: what helps to word it (a search for the nearest name, say) may be
 * left out. */
bool problems_are_full(const struct problems *problems);
/* Says how many were not shown, if any. */
void problems_end(const struct problems *problems);

#endif
