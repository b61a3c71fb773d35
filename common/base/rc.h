/* rc: what a fallible function tells its caller to do next.
 * Used by every process. A value says what the caller can do, never what went wrong in detail:
 * that is the text in struct err (err.h). */
#ifndef STINT_BASE_RC_H
#define STINT_BASE_RC_H

enum rc {
    RC_OK = 0,
    RC_ROW,      /* iteration: there is a row */
    RC_DONE,     /* iteration: no more rows */
    RC_AGAIN,    /* nothing now; try again after an event */
    RC_BUSY,     /* somebody else holds it; wait or exit 75 */
    RC_GONE,     /* the claim is lost: drop the outcome whole */
    RC_NOTFOUND, /* no such thing */
    RC_INVALID,  /* the caller's input is wrong; the text says how */
    RC_LIMIT,    /* a documented limit is exceeded */
    RC_NOMEM,
    RC_SYS,     /* a system call failed */
    RC_STORE,   /* the database failed */
    RC_CORRUPT, /* the database's file is damaged: write nothing more, do not try again */
    RC_PROTO,   /* the other side broke the protocol */
    RC_BUG,     /* ours */
};

#define MUST_CHECK __attribute__((warn_unused_result))

#endif
