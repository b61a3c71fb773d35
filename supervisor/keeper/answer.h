/* answer: carries out the orders of the supervisor and confirms them (common/ipc/orders.h). Called
 * by main.c's loop. An order that fails is not confirmed: the supervisor repeats it. Only a start
 * that fails ends the process, with a text on standard error. */
#ifndef STINT_KEEPER_ANSWER_H
#define STINT_KEEPER_ANSWER_H

#include "common/ipc/orders.h"
#include "supervisor/keeper/keeper.h"

/* Sends one; an answer that is not heard is asked for again. */
void answer_confirm(const struct order *answer);
void answer_order(struct keeper *k, const struct order *order);

#endif
