/* reply: what the control socket answers, piece by piece in fixed room: however large the whole is,
 * a slow reader holds one piece. Reads the pool's state; the acts it calls are pool.h's. Used by
 * control.c, in stintd only. */
#ifndef STINT_SUPERVISOR_REPLY_H
#define STINT_SUPERVISOR_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/pool.h"

#define REPLY_PIECE_MAX 16384

struct reply {
    char text[REPLY_PIECE_MAX]; /* the piece at hand */
    size_t len, sent;
    /* Writes the next piece (len 0: there is none); NULL: this one is the last. */
    void (*next)(struct pool *pool, struct reply *reply);
    size_t cursor;
    uint64_t
        generation;  /* of the configuration that is being sent: one, whatever comes meanwhile */
    uint64_t awaits; /* the reload of this number: its outcome is the answer; 0: nothing */
};

/* Carries out one request line and begins its answer. */
void reply_begin(struct pool *pool, const char *request, struct reply *reply);
/* The answer of one whose reload is over. */
void reply_resume(struct pool *pool, struct reply *reply);
/* For parts of an answer that stand in files of their own. */
void reply_add(struct reply *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void reply_add_json(struct reply *reply, const char *text); /* a JSON string */
void reply_error(struct reply *reply, const char *text);

#endif
