/* keeper: what the keeper's process has, as main.c builds it and its files borrow it. It does the
 * pool's own database work: orders of the supervisor (answer.c) and what comes up by itself
 * (chores.c). Never starts or signals a process, never runs a handler. */
#ifndef STINT_KEEPER_KEEPER_H
#define STINT_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/ipc/config_box.h"
#include "common/ipc/pool_mem.h"
#include "common/store/settle.h"
#include "common/store/watch.h"
#include "supervisor/keeper/beat.h"
#include "supervisor/keeper/loop.h"

struct keeper {
    struct config *config;
    struct config_stamp stamp; /* of the configuration */
    const struct config_box *box;
    struct pool_mem *mem;
    struct loop *loop;
    struct beat beat;
    int64_t supervisor_pid;
    char host[256];
    int exit_status;

    struct store *store; /* NULL until ORDER_START */
    struct catalog *catalog;
    struct pool_row pool;
    struct watch watch;

    bool is_watching_rest;         /* ORDER_WATCH: not yet answered */
    bool is_lost;                  /* the database, as home.c has told */
    bool is_failing;               /* the database's last answer was an error, and was logged */
    int64_t gap_ms;                /* before the next look */
    int64_t sign_mono_ns;          /* of a commit: the newest */
    int64_t chores_mono_ns;        /* when they were done last */
    int64_t next_due_wall_ms;      /* the next retry or end of a pause; 0: none */
    int64_t checkpoint_at_mono_ns; /* not before */
    int64_t checkpoint_gap_ms;
    int64_t told_backlog; /* −1: nothing yet */
};

#endif
