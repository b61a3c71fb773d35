/* limits: what the kernel holds a handler to: rlimits, nice, the rights of another user, a control
 * group for memory; and whether one of these ended it. Used by launch.c before a start, by
 * handler_exec.c and resident.c after an end. Looks the user up; decides no outcome. */
#ifndef STINT_WORKER_LIMITS_H
#define STINT_WORKER_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

#include "common/base/buf.h"
#include "common/base/spawn.h"
#include "common/config/config.h"

enum { LIMITS_LIST_MAX = 8, LIMITS_GROUPS_MAX = 128, LIMITS_ENV_MAX = 4 };

struct limits {
    struct spawn_limit list[LIMITS_LIST_MAX];
    size_t len;
    bool has_user;
    struct spawn_user user;
    gid_t groups[LIMITS_GROUPS_MAX];
    char *env[LIMITS_ENV_MAX]; /* HOME=… and the like of the user; owned */
};

/* is_memory_grouped: a control group holds `memory`, so that no rlimit needs to. RC_INVALID: the
 * user cannot be had. After an error, too: limits_fini. */
MUST_CHECK enum rc limits_init(
    struct limits *l, const struct stage_tuning *tuning, bool is_memory_grouped, struct err *err);
void limits_fini(struct limits *l);
/* Borrows l. */
void limits_apply(
    const struct limits *l, const struct stage_tuning *tuning, struct spawn_opts *opts);
/* The user's variables in the place of the pool's; what the stage's configuration sets stays. envp
 * has room for LIMITS_ENV_MAX more. */
void limits_fill_env(const struct limits *l, const struct env *configured, char **envp);
/* The user may open what it got by its /proc name: "/dev/stderr". */
void limits_give(const struct limits *l, int fd);

/* How a process ended, and what it used. */
struct limits_end {
    int status; /* as wait(2) gives it */
    const struct rusage *usage;
    bool is_oom; /* the kernel killed something in its control group for want of memory */
};
/* Of one process more of its tree. */
void limits_add_usage(struct rusage *sum, const struct rusage *more);
/* If a limit ended it: why ("cpu limit 10 s (cpu)") and how ("cpu"); false: none did, as far as
 * can be told. */
bool limits_explain(
    const struct stage_spec *stage, const struct limits_end *end, struct buf *why, struct buf *how);

#endif
