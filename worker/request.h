/* request: the one JSON object that a handler reads (DESIGN.md section 5). Used by handler_exec.c.
 * Pure: a claimed run in, text out. */
#ifndef STINT_WORKER_REQUEST_H
#define STINT_WORKER_REQUEST_H

#include "common/store/exchange.h"
#include "worker/calls.h"

/* Ends in a newline, so that `read line` of a shell takes it whole. */
/* The same for a resident: a call of one attempt, or of several in a stage with batch. */
void request_write_call(
    const struct call *call, const struct catalog_stage *stage, struct buf *out);
void request_write(const struct run *run, const struct catalog_stage *stage, struct buf *out);

#endif
