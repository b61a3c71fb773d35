/* notes: carries out what running handlers say, for exec and resident alike: costs and limits are
 * written at once, spawned items in bites, progress and checkpoints at most five times a second a
 * worker, and before an attempt is stopped. What is not written when an attempt ends is in its
 * outcome. Called by whoever listens to a handler (guard.c, resident.c); concludes nothing. */
#ifndef STINT_WORKER_NOTES_H
#define STINT_WORKER_NOTES_H

#include "worker/calls.h"

struct worker;

/* Part of struct worker; begins as {0}. */
struct notes {
    struct attempt **list; /* attempts of which something is to be written; borrowed */
    size_t len, cap;
    int64_t next_mono_ns; /* no progress and no checkpoint is written before */
};
void notes_fini(struct notes *n);

/* A message of this attempt's handler: applied, and what it asks for now is done or noted. */
enum heard_news notes_hear(struct worker *w, struct attempt *a, struct message *m);
/* The same for one that is about a call, and no outcome: by call_about. Returns whose it was; NULL:
 * none's. */
struct attempt **notes_hear_about(struct worker *w, const struct call *call, struct message *m);
/* After the messages of one turn: writes what is due, and sets LOOP_NOTES for the rest. Then look
 * at heard_is_broken and is_gone of the attempts. */
void notes_turn(struct worker *w);
/* All of this attempt is written: it is about to be stopped. */
void notes_now(struct worker *w, struct attempt *a);
/* It is concluded: what is left is in its outcome. Must come before the attempt is forgotten. */
void notes_forget(struct worker *w, struct attempt *a);

#endif
