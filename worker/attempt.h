/* attempt: one claimed stage run from the claim to the outcome that the next exchange hands over:
 * the run, its process and output while it has one, and the texts of its end. Made by cycle.c, run
 * by handler_exec.c or handler_builtin.c under guard.c. Owns all its memory; does nothing itself.
 */
#ifndef STINT_WORKER_ATTEMPT_H
#define STINT_WORKER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/protocol/stream.h"
#include "common/store/exchange.h"
#include "worker/heard.h"
#include "worker/tail.h"

/* Why we, not the handler, ended it. */
enum attempt_cut {
    CUT_NONE,
    CUT_TIMEOUT,
    CUT_STOPPED, /* the pool stops now: given back */
    CUT_OUTPUT,  /* more on stdout than output_size */
    CUT_LOST,    /* the claim is no longer ours */
    CUT_BROKEN,  /* it broke the protocol, or said what is refused: heard.broken */
};

enum attempt_state {
    ATTEMPT_CLAIMED,
    ATTEMPT_RUNNING,
    ATTEMPT_CONCLUDED, /* its outcome waits to be handed over */
    ATTEMPT_STATES,
};

struct attempt {
    struct run run;           /* id 0: there is none */
    enum attempt_state state; /* in the deck: deck.c alone writes it */
    bool is_held_back;        /* an exchange failed at it: it goes alone */
    const struct catalog_stage *stage;
    int64_t started_mono_ns;
    enum attempt_cut cut;
    bool is_cut_with_others; /* of its call: it may not be the reason */
    struct buf version; /* of its handler: as configured, else as its resident said; empty: none */

    /* The process, which a batch has in common: the first of it has all this. */
    pid_t pid;     /* of the handler's main process; 0: none was started */
    bool is_ended; /* reaped; then status is as wait(2) gives it */
    int status;
    bool is_oom;         /* proven: the kernel killed in its control group */
    struct rusage usage; /* of its whole tree, as far as reaped */
    int stdout_fd, stderr_fd, control_fd;
    struct buf output;     /* stdout */
    struct tail tail;      /* stderr */
    struct tail logs;      /* messages of type log */
    struct tail printed;   /* stdout of a batch, where it is no result */
    struct stream control; /* exec: what comes over descriptor 3 */
    struct heard heard;    /* what the handler has said */
    bool is_gone;          /* a note found its claim taken away */
    bool is_by_message;    /* the outcome is the one that it said */
    int64_t after_ms;      /* not before; −1: not said */

    bool is_suspect; /* its next attempt should run alone */
    bool has_outcome;
    struct outcome outcome; /* its texts are the buffers below */
    struct buf result, why, how, stderr_text, stdout_text, log_text, certificate;
};

#define ATTEMPT_INIT                                                                               \
    {                                                                                              \
        .stdout_fd = -1, .stderr_fd = -1, .control_fd = -1, .heard = HEARD_INIT, .after_ms = -1    \
    }

/* Nothing is decided about it yet: it has no outcome, is not broken, not cut. */
static inline bool attempt_is_open(const struct attempt *a)
{
    return a->cut == CUT_NONE && a->heard.outcome == MESSAGE_UNKNOWN && !heard_is_broken(&a->heard);
}

/* Takes the run. */
void attempt_init(struct attempt *a, struct run *run, const struct catalog_stage *stage);
void attempt_fini(struct attempt *a);
/* Nothing is read any more, though somebody outside its tree may still hold the other ends. */
void attempt_close_pipes(struct attempt *a);
/* Whose lines what it says are. Borrows of the attempt. */
struct tail_about attempt_about(const struct attempt *a);

/* It was cut because it is broken: fills why, how. */
enum end_cause attempt_broken(struct attempt *a);
/* The cause, by the outcome message that was heard (there is one); fills result, why, how. */
enum end_cause attempt_by_message(struct attempt *a);
/* Its handler went down or was ended, for the fault of whatever it had in hand. Of several, which
 * one did it? Each runs alone next, and only the one that does it again pays. Work that must not be
 * begun twice has failed. */
enum end_cause attempt_taken_down(struct attempt *a, bool is_alone);
/* Its result is larger than output_size: says so. */
enum end_cause attempt_too_long(struct attempt *a);
/* A retry after a limit that the handler has met is no failure of this run. */
enum end_cause attempt_limited(struct attempt *a);
/* The outcome, out of the buffers as they are now, with all that was heard and is not written. */
void attempt_conclude(struct attempt *a, enum end_cause cause);
/* The store will never take this outcome as it is (a result too deep, an item of an unknown job):
 * the attempt has failed, and says why. False: the error is not about the outcome. */
bool attempt_refuse(struct attempt *a, enum rc rc, const struct err *err);

#endif
