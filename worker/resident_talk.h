/* resident_talk: what is written to the resident (requests, cancels) and what it answers: lines to
 * messages to attempts. Called by resident_loop.c. Reads and writes without ever blocking. */
#ifndef STINT_WORKER_RESIDENT_TALK_H
#define STINT_WORKER_RESIDENT_TALK_H

#include "worker/worker.h"

/* Sends as many of the claimed attempts as may be in flight. */
void resident_dispatch(struct worker *w);
/* Asks it to give this call up; it has the grace for that. */
void resident_cancel(struct worker *w, struct call *call, enum attempt_cut why);
/* Writes what the pipe takes. */
void resident_flush(struct worker *w);
/* Reads what is there now, and acts on it. */
void resident_listen(struct worker *w);
void resident_listen_stderr(struct worker *w);
/* Writes what of all this is due; LOOP_NOTES says when. */
void resident_note(struct worker *w);

#endif
