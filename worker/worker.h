/* worker: what one worker process has, as main.c builds it and everybody else borrows it: accepted
 * configuration, catalogue, store, its life in the pool, its loop. Nothing here changes after the
 * start but the life, and by accepted.c the configuration and what is made from it. No globals:
 * this struct is the wiring. */
#ifndef STINT_WORKER_WORKER_H
#define STINT_WORKER_WORKER_H

#include <signal.h>

#include "common/config/config.h"
#include "common/ipc/config_box.h"
#include "common/store/catalog.h"
#include "worker/deck.h"
#include "worker/env.h"
#include "worker/life.h"
#include "worker/loop.h"
#include "worker/memgroup.h"
#include "worker/notes.h"
#include "worker/resident.h"
#include "worker/tail.h"
#include "worker/tokens.h"

/* What runs of a lane take; 0: not known. */
struct pace {
    int64_t run_ns;  /* from start to end */
    int64_t work_ns; /* of it, on a processor */
};

struct worker {
    const struct config_box *box;
    struct config *config;
    struct catalog *catalog;
    struct config_stamp stamp; /* of the configuration */
    struct buf packed;         /* the same as it came: what a discovery gets */
    struct store *store;
    struct trial *trial; /* there is no store then, and this is told what happens; else NULL */
    struct loop *loop;
    struct life life;
    struct handler_env env;
    int64_t *stage_ids;                  /* every lane of the catalogue: what a wish asks for */
    const struct catalog_stage **stages; /* the same */
    uint32_t *rooms;                     /* so many runs of each could be taken: rooms.c */
    struct pace *paces; /* of each, where a run has the worker for itself: rooms.c */
    size_t stages_len;
    int64_t exchange_ns; /* what an exchange takes, waiting for the lock included */
    bool has_more;      /* max_claim cut the last wish short: there may be work for the room left */
    struct notes notes; /* what handlers said and is to be written */
    struct deck deck;
    struct resident resident;
    struct tokens tokens; /* of the same lanes */
    struct memgroup memgroup;
    struct tail_live live;    /* where what handlers say is shown */
    int child_fd;             /* signalfd: SIGCHLD, which is blocked */
    sigset_t changed_signals; /* what this process ignores, and no handler */
    int handler_umask;        /* as the pool was started with; our own is 077 */
};

#endif
