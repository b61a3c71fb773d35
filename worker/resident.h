/* resident: the one process of this worker that serves many runs of one lane: its start and hello,
 * its calls, its end, and what becomes of the runs that it had. The process and its words are here;
 * who says what is in resident_talk.c, when what is due in resident_loop.c. Used by cycle.c;
 * concludes attempts of the deck, never touches the database. */
#ifndef STINT_WORKER_RESIDENT_H
#define STINT_WORKER_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/protocol/message.h"
#include "common/protocol/stream.h"
#include "common/store/catalog.h"
#include "worker/calls.h"
#include "worker/tail.h"

struct worker;

enum resident_state {
    RESIDENT_NONE,
    RESIDENT_STARTING, /* no hello yet */
    RESIDENT_READY,
    RESIDENT_LEAVING,  /* its standard input has ended; it may finish */
    RESIDENT_TERMED,   /* SIGTERM is sent */
    RESIDENT_SWEEPING, /* SIGKILL is sent to all that is left, until nothing is */
};

struct resident {
    enum resident_state state;
    int64_t stage_id; /* whose lane it serves; 0: there is none */
    pid_t pid;
    bool is_ended; /* reaped; then status is as wait(2) gives it */
    int status;
    struct rusage usage;       /* of its tree, as far as reaped */
    bool is_oom;               /* proven: the kernel killed in its control group */
    int in_fd, out_fd, err_fd; /* −1: none */
    struct buf version;        /* as its hello said; empty: it did not */
    struct stream stream;
    struct message message; /* its room is used again and again */
    struct buf out;         /* requests that the pipe has not taken yet */
    struct tail tail;       /* stderr */
    struct buf fault;       /* why we end it, or why it cannot be used; empty: no reason */
    bool is_unusable;       /* it never was ready: the stage is paused */
    bool is_expected;       /* its end was our wish */
    bool wants_recycling;   /* max_requests, max_memory */

    struct calls calls;
    int64_t last_id; /* of a call */
    int64_t requests;
    int64_t until_mono_ns; /* of the state; 0: no end */
    int64_t sweep_ms;
    int64_t idle_since_mono_ns;
    int64_t run_ns; /* what a run takes, at least; 0: not known */
    int64_t stale_logged_mono_ns;

    int64_t throttled_stage_id, throttle_ns, throttled_until_mono_ns; /* after a crash */
};

/* The worker's fields of descriptors begin as none. */
void resident_init(struct resident *r);
/* Its process has ended by now. */
void resident_fini(struct resident *r);
/* Not while it is throttled after a crash. */
bool resident_may_take(
    const struct resident *r, const struct catalog_stage *stage, int64_t now_mono_ns);

/* ---- for resident_loop.c and resident_talk.c ---- */

/* What is claimed is concluded if that is impossible. */
void resident_start(struct worker *w, const struct catalog_stage *stage);
/* Ends its standard input; it may finish what it has. */
void resident_leave(struct worker *w);
void resident_terminate(struct worker *w);
/* Ends it at once, whole tree; fault (may be NULL): why, for those that it had. */
void resident_kill(struct worker *w, const char *fault);
/* It cannot be used: ends it; the stage will be paused with this reason. */
void resident_refuse(struct worker *w, const char *fault);
/* One more round of the sweep, or the end of it: then the state is RESIDENT_NONE. */
void resident_sweep(struct worker *w);
/* Reaps every child that has ended. */
void resident_reap(struct worker *w);
/* Concludes an attempt that a call had: its outcome is in its buffers. */
void resident_conclude(
    struct worker *w, struct call *call, struct attempt **item, enum end_cause cause);

#endif
