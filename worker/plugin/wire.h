/* wire: the resident protocol's two descriptors, out of the plugin's way: requests come in here and
 * queue up, lines go out. Used by main.c and hosted.c. Knows nothing of plugins.
 */
#ifndef STINT_PLUGIN_WIRE_H
#define STINT_PLUGIN_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/* A request of type run. */
struct ask {
    struct ask *next;
    char *line;
    int64_t id;
    bool is_cancelled;
};

struct wire {
    int in_fd, out_fd;
    struct stat out_is, stderr_is; /* what these were, and must be still */
    struct buf in;
    bool is_ended;
    struct ask *current;
    struct ask *first, **last; /* those that wait */
};

/* Moves the protocol to descriptors of its own; 0 is /dev/null from here on, 1 what 2 is. */
MUST_CHECK enum rc wire_open(struct wire *w, struct err *err);
void wire_close(struct wire *w);
/* The next request, which is w->current until the next call; NULL: no more will come. */
struct ask *wire_next(struct wire *w);
/* Somebody asked to give the current request up. Looks at what has come in. */
bool wire_is_cancelled(struct wire *w);
/* Standard error is still what it was, so that a complaint goes into nobody's file. */
bool wire_may_complain(const struct wire *w);
/* One line. RC_SYS: it cannot be said, or the descriptor is not what it was. */
MUST_CHECK enum rc wire_say(struct wire *w, const char *line, size_t len, struct err *err);

#endif
