/* run_show: what `stint run` says while the pool runs: that it is ready, what an older pool left in
 * flight, the progress line, and a summary at the end. Reads the database like any other process;
 * the pool does not depend on it: if it cannot be read, nothing is shown and the pool goes on. */
#ifndef STINT_CLI_RUN_SHOW_H
#define STINT_CLI_RUN_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/context.h"
#include "cli/follow.h"
#include "cli/overview.h"
#include "cli/progress.h"

struct run_show {
    struct cli *cli; /* its store is opened and closed here */
    bool is_drain;
    struct follow follow;
    struct progress progress;
    int64_t started_mono_ns;
    int64_t tried_mono_ns; /* last time the database was looked for; 0: never */
    int64_t seen_event;    /* newest event before this pool */
    bool has_started;      /* this pool's run_start was seen and said */
    bool is_stopping;      /* no progress any more */
    bool has_ended;        /* the pool, in order */
    struct buf paused_said;
};

/* Before the pool is started. */
void run_show_init(struct run_show *s, struct cli *cli);
void run_show_fini(struct run_show *s);

/* What to poll (−1: nothing): readable: follow_on_sign(&s->follow). */
int run_show_fd(const struct run_show *s);
/* When to call run_show_look; LOOP_NEVER: after a sign on fd only. */
int64_t run_show_due_ns(const struct run_show *s);
void run_show_look(struct run_show *s);

/* The pool was asked to stop. */
void run_show_stopping(struct run_show *s);
/* The pool has ended with this exit status. */
void run_show_end(struct run_show *s, int status);

#endif
