/* proctree: finds and kills processes that descend from this one (which must be a subreaper), and
 * left-over ones that carry a mark in their environment. Used by worker and supervisor. Signals by
 * pidfd only, after checking that the pid still is what was listed. The only caller of waitid. */
#ifndef STINT_BASE_PROCTREE_H
#define STINT_BASE_PROCTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/base/err.h"

MUST_CHECK enum rc proctree_become_subreaper(struct err *err);

struct proctree_end {
    pid_t pid;
    int status; /* as wait(2): WIFEXITED and friends apply */
    struct rusage usage;
};

/* Reaps one ended child, whichever it is; RC_ROW: *ret is it; RC_DONE: none has ended. */
MUST_CHECK enum rc proctree_reap(struct proctree_end *ret);

/* Waits for this child, which is about to end, and forgets it (spawn: a start that failed). */
void proctree_discard(pid_t pid);

/* Bytes of memory that a process and what descends from it hold now (resident set). */
int64_t proctree_memory(pid_t pid);

/* Sends SIGKILL to every descendant of this process, except the children listed in spare and what
 * descends from those. Returns how many were there (ended but unreaped ones do not count): call
 * again, reaping in between, until 0. */
size_t proctree_kill_strangers(const pid_t *spare, size_t spare_len);

/* SIGKILLs every process whose initial environment has VAR=value with value starting with prefix,
 * except this process and its ancestors. Returns how many live ones were found. */
size_t proctree_kill_marked(const char *var, const char *prefix);

#endif
