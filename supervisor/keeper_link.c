#include "supervisor/keeper_link.h"

#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "supervisor/lost.h"
#include "supervisor/pool.h"
#include "supervisor/review.h"

#define ANSWERS_A_TURN 1024 /* more than the socket holds: a babbler cannot keep us here */

void link_init(struct keeper_link *link)
{
    memset(link, 0, sizeof *link);
    link->fd = -1;
}

static void handle_orders(void *arg, int is_readable, int is_writable)
{
    (void)is_readable;
    (void)is_writable;
    link_drain(arg);
    pool_review(arg);
}

void link_attach(struct pool *pool, int fd)
{
    struct keeper_link *link = &pool->link;

    link->fd = fd;
    link->keeper++;
    link->is_ready = false;
    link->is_full = false;
    link->start = (struct wanted_order){.is_wanted = true};
    link->watch = loop_watch(pool->loop, fd, WATCH_READ, handle_orders, pool);
}

void link_detach(struct pool *pool)
{
    struct keeper_link *link = &pool->link;

    watch_end(link->watch);
    if (link->fd >= 0)
        (void)close(link->fd);
    link->watch = NULL;
    link->fd = -1;
    link->is_ready = false;
}

static bool is_due(const struct keeper_link *link, uint32_t keeper, int64_t sent_mono_ns)
{
    return keeper != link->keeper || clock_mono_ns() - sent_mono_ns >= ORDER_REPEAT_MS * NS_PER_MS;
}

static bool send_order(struct keeper_link *link, struct order *order)
{
    enum rc rc;

    order->magic = ORDER_MAGIC;
    order->pool_row = link->pool_row;
    rc = order_send(link->fd, order);
    link->is_full = rc == RC_AGAIN;
    return rc == RC_OK;
}

static void push_order(struct keeper_link *link, struct wanted_order *w, struct order *order)
{
    if (!w->is_wanted || !is_due(link, w->keeper, w->sent_mono_ns) || !send_order(link, order))
        return;
    w->keeper = link->keeper;
    w->sent_mono_ns = clock_mono_ns();
}

static void push_wanted(struct keeper_link *link, struct wanted_order *w, enum order_kind kind)
{
    struct order order = {.kind = kind};

    push_order(link, w, &order);
}

static void push_reload(struct pool *pool)
{
    struct order order = {.kind = ORDER_RELOAD, .generation = pool->reload.proposed.generation};

    push_order(&pool->link, &pool->link.reload, &order);
}

static void push_settle(struct keeper_link *link, struct child *c)
{
    struct order order = {.kind = ORDER_SETTLE, .life = c->life, .cause = c->cause};

    if (!is_due(link, c->order_keeper, c->order_sent_mono_ns))
        return;
    order.death = c->death;
    order.count = c->reached;
    CRASH_POINT("settle.before_order");
    if (!send_order(link, &order))
        return;
    c->order_keeper = link->keeper;
    c->order_sent_mono_ns = clock_mono_ns();
}

void link_push(struct pool *pool)
{
    struct keeper_link *link = &pool->link;

    if (link->fd < 0)
        return;
    push_wanted(link, &link->start, ORDER_START);
    if (!link->is_ready)
        return;
    for (int i = KEEPER_INDEX + 1; i < pool->children_used && !link->is_full; i++) {
        if (pool->children[i].state == CHILD_SETTLING)
            push_settle(link, &pool->children[i]);
    }
    push_wanted(link, &link->lives, ORDER_LIVES);
    push_wanted(link, &link->watch_rest, ORDER_WATCH);
    push_reload(pool);
    push_wanted(link, &link->finish, ORDER_FINISH);
    link->is_full = false;
}

static void take_lives(struct pool *pool, const struct order *order)
{
    if (order->first_life == 0)
        return;
    if (!lives_add(&pool->lives, order->first_life, order->last_life))
        log_msg(LOG_LEVEL_DEBUG, "order.bad", "a block of lives was not wanted: dropped");
    pool->link.lives = (struct wanted_order){0};
}

static void handle_ready(struct pool *pool, const struct order *order)
{
    struct keeper_link *link = &pool->link;

    if (link->is_ready || order->pool_row <= 0)
        return;
    link->is_ready = link->is_started = true;
    link->start.is_wanted = false;
    link->pool_row = order->pool_row;
    take_lives(pool, order);
    pool_event(pool, pool_keeper(pool), EVENT_READY);
}

static void handle_settled(struct pool *pool, const struct order *order)
{
    struct child *c = pool_find_life(pool, order->life);

    if (c == NULL || c->state != CHILD_SETTLING)
        return; /* the answer to a repetition */
    CRASH_POINT("settle.after_confirm");
    pool_event(pool, c, EVENT_SETTLED);
}

static void handle_answer(struct pool *pool, const struct order *order)
{
    struct keeper_link *link = &pool->link;

    if (order->text[0] != '\0' && order->kind != ORDER_NOT_RELOADED)
        log_msg(LOG_LEVEL_WARN, "keeper.says", "%s", order->text);
    switch (order->kind) {
    case ORDER_READY:
        handle_ready(pool, order);
        break;
    case ORDER_LIVES_TAKEN:
        take_lives(pool, order);
        break;
    case ORDER_SETTLED:
        handle_settled(pool, order);
        break;
    case ORDER_RESTED:
        link->is_rested = link->watch_rest.is_wanted;
        link->rest_count = order->count;
        link->watch_rest.is_wanted = false;
        break;
    case ORDER_BACKLOG:
        link->backlog = order->count;
        break;
    case ORDER_RELOADED:
    case ORDER_NOT_RELOADED:
        reload_answered(pool, order);
        break;
    case ORDER_LOST:
        lost_database(pool, order->count != 0);
        break;
    case ORDER_FINISHED:
        link->is_finished = link->finish.is_wanted;
        link->finish.is_wanted = false;
        break;
    default: /* a number from another process, not an enum */
        log_msg(LOG_LEVEL_WARN, "order.bad", "the keeper sent order %u: dropped", order->kind);
    }
}

/* The keeper's death is on its way; if it lives on without this socket, it is judged like one that
 * closed its heartbeat pipe. */
static void lose_peer(struct pool *pool)
{
    struct child *c = pool_keeper(pool);

    watch_end(pool->link.watch);
    pool->link.watch = NULL;
    if (c->closed_mono_ns == 0)
        c->closed_mono_ns = clock_mono_ns();
}

void link_drain(struct pool *pool)
{
    struct order order;

    for (int i = 0; i < ANSWERS_A_TURN && pool->link.fd >= 0; i++) {
        enum rc rc = order_receive(pool->link.fd, &order);

        if (rc == RC_OK)
            handle_answer(pool, &order);
        else if (rc == RC_PROTO)
            log_msg(LOG_LEVEL_WARN, "order.bad", "the keeper sent nonsense: dropped");
        else {
            if (rc != RC_AGAIN)
                lose_peer(pool);
            return;
        }
    }
}

static void earlier(int64_t *due, int64_t at)
{
    if (*due == 0 || at < *due)
        *due = at;
}

int64_t link_next_due(const struct pool *pool)
{
    const struct keeper_link *link = &pool->link;
    const struct wanted_order *wanted[] = {
        &link->start, &link->lives, &link->reload, &link->finish};
    int64_t due = 0;

    if (link->fd < 0)
        return 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (wanted[i]->is_wanted && wanted[i]->keeper == link->keeper)
            earlier(&due, wanted[i]->sent_mono_ns + ORDER_REPEAT_MS * NS_PER_MS);
    }
    for (int i = KEEPER_INDEX + 1; i < pool->children_used; i++) {
        const struct child *c = &pool->children[i];

        if (c->state == CHILD_SETTLING && c->order_keeper == link->keeper)
            earlier(&due, c->order_sent_mono_ns + ORDER_REPEAT_MS * NS_PER_MS);
    }
    return due;
}
