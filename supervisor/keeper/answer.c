#include "supervisor/keeper/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/ipc/fds.h"
#include "common/ipc/home.h"
#include "common/store/add.h"
#include "supervisor/keeper/certificate.h"
#include "supervisor/keeper/chores.h"
#include "supervisor/keeper/holds.h"
#include "supervisor/keeper/home.h"
#include "supervisor/keeper/levels.h"
#include "supervisor/keeper/reload.h"

enum { ROOM_MS = 500 };

/* After a stop of hundreds of workers the supervisor is behind with reading; it is never behind for
 * long, and never waits for us. */
void answer_confirm(const struct order *answer)
{
    if (order_send_within(FD_ORDERS, answer, ROOM_MS) != RC_OK)
        log_msg(LOG_LEVEL_WARN, "keeper.unheard",
            "the supervisor did not take an answer; it will "
            "ask again");
}

static void tell_given(void *ctx, int64_t uid)
{
    (void)ctx;
    log_msg(LOG_LEVEL_INFO, "database.given", "made for user %u, who owns its directory",
        (unsigned)uid);
}

static enum rc open_store(struct keeper *k, struct err *err)
{
    struct store_options opts = {
        .path = k->config->pool.database,
        .durability = k->config->pool.durability,
        .has_precedence = true,
    };
    beat_hook(&k->beat, &opts.hooks);
    opts.hooks.on_given = tell_given;
    enum rc rc = home_may_open(k, err);
    if (rc == RC_OK)
        rc = store_open(&opts, &k->store, err);
    if (rc == RC_OK)
        home_take_file(k->mem, k->config->pool.database);
    return rc;
}

static enum rc start_pool(struct keeper *k, int64_t *ret_requeued, struct err *err)
{
    struct add_report report = {0};
    enum rc rc = store_migrate(k->store, err);
    if (rc == RC_OK)
        rc = catalog_sync(k->store, k->config, &k->catalog, err);
    if (rc == RC_OK && k->pool.id == 0) /* else done by a try before */
        rc = store_pool_start(
            k->store, k->catalog, k->host, k->supervisor_pid, &k->pool, ret_requeued, err);
    if (rc == RC_OK)
        rc = levels_restore(k, err);
    if (rc == RC_OK)
        rc = holds_restore(k, err);
    if (rc == RC_OK)
        rc = store_open_discoveries(k->store, k->catalog, &report, err);
    return rc;
}

static enum rc join_pool(struct keeper *k, const struct order *order, struct err *err)
{
    k->pool = (struct pool_row){
        .id = order->pool_row,
        .first_life = order->first_life,
        .last_life = order->last_life,
    };
    enum rc rc = store_check_schema(k->store, err);
    if (rc == RC_OK)
        rc = reload_catch_up(k, err);
    if (rc == RC_OK)
        rc = catalog_load(k->store, k->config, &k->catalog, err);
    return rc;
}

static void give_up(struct keeper *k, enum rc rc, const struct err *err)
{
    if (!k->is_lost)
        log_msg(LOG_LEVEL_ERROR, "keeper.failed", "%s", err->text);
    k->exit_status = rc == RC_INVALID || k->is_lost ? EX_CONFIG : EXIT_FAILURE;
    loop_stop(k->loop);
}

/* A foreign program holds the write lock, maybe for long: that is no reason to end. The supervisor
 * names it, repeats its order, and ends us when the pool is to stop. */
static void try_later(struct keeper *k, const struct err *err)
{
    (void)chores_is_ok(k, RC_BUSY, err); /* not everybody who holds it can be named */
    watch_close(&k->watch);
    catalog_free(k->catalog);
    k->catalog = NULL;
    store_close(k->store);
    k->store = NULL;
    beat_held_up(&k->beat);
}

static void confirm_start(const struct keeper *k, int64_t requeued)
{
    struct order answer = {
        .magic = ORDER_MAGIC,
        .kind = ORDER_READY,
        .pool_row = k->pool.id,
        .first_life = k->pool.first_life,
        .last_life = k->pool.last_life,
        .count = requeued,
    };
    answer_confirm(&answer);
}

static void answer_start(struct keeper *k, const struct order *order)
{
    struct err err = {""};
    int64_t requeued = 0;
    if (k->store != NULL) { /* a repeat */
        confirm_start(k, 0);
        return;
    }
    enum rc rc = open_store(k, &err);
    if (rc == RC_OK)
        rc = order->pool_row == 0 ? start_pool(k, &requeued, &err) : join_pool(k, order, &err);
    if (rc == RC_OK)
        rc = watch_open(k->config->pool.database, &k->watch, &err);
    if (rc == RC_BUSY) {
        try_later(k, &err);
        return;
    }
    if (rc != RC_OK) {
        give_up(k, rc, &err);
        return;
    }
    CRASH_POINT("keeper.started");
    beat_ready(&k->beat);
    confirm_start(k, requeued);
    chores_run(k);
}

static void answer_lives(struct keeper *k, const struct order *order)
{
    struct err err = {""};
    struct pool_row row = {0};
    (void)order;
    enum rc rc = store_pool_lives(k->store, k->host, k->supervisor_pid, &row, &err);
    if (!chores_is_ok(k, rc, &err))
        return;
    struct order answer = {
        .magic = ORDER_MAGIC,
        .kind = ORDER_LIVES_TAKEN,
        .pool_row = row.id,
        .first_life = row.first_life,
        .last_life = row.last_life,
    };
    answer_confirm(&answer);
}

static void answer_settle(struct keeper *k, const struct order *order)
{
    CLEANUP(buf_fini) struct buf certificate = BUF_INIT;
    CLEANUP(buf_fini) struct buf cause = BUF_INIT;
    struct err err = {""};
    int64_t requeued = 0;
    certificate_write(&order->death, order->life, &certificate);
    certificate_cause(&order->death, &cause);
    struct settlement s = {
        .life = order->life,
        .last_begun = order->count,
        .is_interruption = order->cause != SETTLE_STOPPED,
        .is_quiet = order->cause == SETTLE_RETIRED,
        .certificate = buf_str(&certificate),
        .cause = buf_str(&cause),
    };
    enum rc rc = store_settle_life(k->store, k->catalog, &s, &requeued, &err);
    if (!chores_is_ok(k, rc, &err))
        return;
    CRASH_POINT("keeper.settled");
    beat_wake(&k->beat, requeued);
    struct order answer = {
        .magic = ORDER_MAGIC,
        .kind = ORDER_SETTLED,
        .life = order->life,
        .count = requeued,
    };
    answer_confirm(&answer);
}

static void answer_watch(struct keeper *k, const struct order *order)
{
    (void)order;
    k->is_watching_rest = true;
    chores_run(k);
}

static void answer_finish(struct keeper *k, const struct order *order)
{
    struct err err = {""};
    uint32_t left = 0;
    (void)order;
    enum rc rc = levels_save(k, &err);
    if (rc == RC_OK)
        rc = store_pool_finish(k->store, k->host, k->supervisor_pid, &err);
    if (!chores_is_ok(k, rc, &err))
        return;
    /* What stays in the log is no loss: the next pool checkpoints it. */
    if (home_is_there(k)) { /* both go by the path */
        (void)store_checkpoint(k->store, &left, &err);
        store_tidy(k->store);
    }
    struct order answer = {.magic = ORDER_MAGIC, .kind = ORDER_FINISHED};
    answer_confirm(&answer);
    beat_goodbye(&k->beat);
    loop_stop(k->loop);
}

void answer_order(struct keeper *k, const struct order *order)
{
    static const struct {
        enum order_kind kind;
        void (*act)(struct keeper *, const struct order *);
    } acts[] = {
        {ORDER_START, answer_start},
        {ORDER_LIVES, answer_lives},
        {ORDER_SETTLE, answer_settle},
        {ORDER_WATCH, answer_watch},
        {ORDER_RELOAD, reload_answer},
        {ORDER_FINISH, answer_finish},
    };
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (acts[i].kind == order->kind && (k->store != NULL || order->kind == ORDER_START)) {
            acts[i].act(k, order);
            return;
        }
    }
    log_msg(LOG_LEVEL_WARN, "keeper.nonsense", "an order of kind %u is dropped", order->kind);
}
