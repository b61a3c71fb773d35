/* exec_talk: what an exec handler says on descriptor 3: lines to messages, and these to the
 * attempts that they are about: the only one, or in a batch the one whose key they bear. Called by
 * guard.c, which has read the bytes and looks afterwards who is broken. Ends nothing. */
#ifndef STINT_WORKER_EXEC_TALK_H
#define STINT_WORKER_EXEC_TALK_H

#include "worker/worker.h"

/* The whole lines that have come. False: what comes behind them cannot be read, or nobody knows
 * whom it would be about: listen no more. */
bool exec_talk_hear(struct worker *w, struct call *call);

#endif
