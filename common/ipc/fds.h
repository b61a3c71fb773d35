/* fds: which descriptors a child of the supervisor is born with, and its argv. Everything else is
 * closed. keeper: stint-keeper; worker: stint-worker SLOT LIFE. */
#ifndef STINT_IPC_FDS_H
#define STINT_IPC_FDS_H

enum child_fd {
    FD_HEARTBEAT = 3, /* write end, non-blocking: struct heartbeat */
    FD_LIFELINE = 4,  /* read end: EOF when the supervisor is gone */
    FD_POOL = 5,      /* sealed memfd: struct pool_mem */
    FD_CONFIG = 6,    /* sealed memfd: struct config_box */
    FD_LOCK = 7,      /* the flock'ed directory, held only to hold the lock */
    FD_ORDERS = 8,    /* keeper only: SOCK_SEQPACKET, struct order both ways */
    FD_WAKE = 8,      /* worker only: its slot's eventfd, non-blocking */
    FD_LIVE = 9,      /* worker only: memfd, struct live_mem; stint opens it by its /proc name */
    /* stint-worker --try, which stint starts (worker/trial.h), has these two instead of 7 and 9. */
    FD_TRIAL_RUN = 10, /* sealed memfd: the run, one JSON object */
    FD_TRIAL_OUT = 11, /* write end: what happens, a JSON object a line */
};

/* A handler of exec says its messages here: the write end of a pipe. */
#define FD_CONTROL 3
/* The discovery handler (stint-discover) gets the configuration here: a sealed memfd of packed
 * sources alone. */
#define FD_DISCOVER_CONFIG 6

#endif
