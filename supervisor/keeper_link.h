/* keeper_link: what the supervisor wants of its keeper, and what of that the living keeper has been
 * told. Every order is sent again until it is confirmed, and to each new keeper; settlements wait
 * in the children's records (slots.h), so nothing here grows. Used by pool.c, in stintd only. */
#ifndef STINT_SUPERVISOR_KEEPER_LINK_H
#define STINT_SUPERVISOR_KEEPER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/orders.h"
#include "supervisor/loop.h"
#include "supervisor/slots.h"

#define ORDER_REPEAT_MS 5000

/* One wish that is repeated until it is fulfilled. */
struct wanted_order {
    bool is_wanted;
    uint32_t keeper; /* who has been told; 0: nobody */
    int64_t sent_mono_ns;
};

struct keeper_link {
    int fd; /* −1: no keeper */
    struct watch *watch;
    uint32_t keeper; /* number of the present keeper, from 1 */
    bool is_ready;   /* it has said ORDER_READY */
    bool is_started; /* some keeper ever did */
    int64_t pool_row;
    struct wanted_order start, lives, watch_rest, reload, finish;
    bool is_finished, is_rested, is_full;
    int64_t rest_count; /* of ORDER_RESTED: at rest but not done or skipped */
    int64_t backlog;
};

struct pool;

void link_init(struct keeper_link *link);
/* Takes fd: our end of a new keeper's pair. */
void link_attach(struct pool *pool, int fd);
void link_detach(struct pool *pool); /* the keeper has ended */
/* Sends what is wanted and not yet told, or told too long ago. */
void link_push(struct pool *pool);
/* Takes the answers that are there: when the socket is readable, and before a keeper is buried. */
void link_drain(struct pool *pool);
int64_t link_next_due(const struct pool *pool); /* of a repetition; 0: none */

#endif
