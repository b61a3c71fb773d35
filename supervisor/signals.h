/* signals: what each signal to stintd means. The loop reads them; no work is done in a handler. */
#ifndef STINT_SUPERVISOR_SIGNALS_H
#define STINT_SUPERVISOR_SIGNALS_H

#include "supervisor/pool.h"

void signals_start(struct pool *pool);

#endif
