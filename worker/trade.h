/* trade: one exchange with the store: hands over every attempt of the deck that is concluded,
 * wishes for as many runs as there is room for, and puts what was claimed into the deck. Takes the
 * tokens that a wish needs, repeats until the database answers. Called by cycle.c and guard.c. */
#ifndef STINT_WORKER_TRADE_H
#define STINT_WORKER_TRADE_H

#include "worker/worker.h"

/* *ret_is_open: another look is due at once, though nothing was claimed. */
MUST_CHECK enum rc trade(struct worker *w, bool *ret_is_open, struct err *err);

/* While a run goes on: hands over what is concluded, and wishes for nothing. When the database
 * fails it is handed over later. The caller says what state the worker is in again. */
void trade_hand_over(struct worker *w);

#endif
