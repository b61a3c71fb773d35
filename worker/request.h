/* request: the one JSON object that a handler reads (DESIGN.md section 5). Used by handler_exec.c
 * and resident_talk.c. Pure: claimed runs in, text out. */
#ifndef STINT_WORKER_REQUEST_H
#define STINT_WORKER_REQUEST_H

#include "common/store/exchange.h"
#include "worker/calls.h"

/* About one attempt, or all of a stage with batch. Ends in a newline, so that `read line` of a
 * shell takes it whole. */
void request_write_call(
    const struct call *call, const struct catalog_stage *stage, struct buf *out);

#endif
