/* stint-keeper: the pool's own database work. Started by the supervisor only, with the descriptors
 * of common/ipc/fds.h; does nothing until ORDER_START. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/ipc/fds.h"
#include "supervisor/keeper/answer.h"
#include "supervisor/keeper/chores.h"
#include "supervisor/keeper/home.h"
#include "supervisor/keeper/reload.h"

static void on_orders(struct keeper *k)
{
    struct order order;
    enum rc rc = order_receive(FD_ORDERS, &order);
    if (rc == RC_OK && !home_is_there(k) && k->exit_status != 0) {
        return; /* the loop ends: nothing may be written any more */
    } else if (rc == RC_OK) {
        answer_order(k, &order); /* further ones: the loop comes again, to them first */
    } else if (rc == RC_PROTO) {
        log_msg(LOG_LEVEL_WARN, "keeper.nonsense", "a record that is no order is dropped");
    } else if (rc != RC_AGAIN) {
        k->exit_status = EXIT_FAILURE;
        loop_stop(k->loop);
    }
}

static void on_lifeline(struct keeper *k)
{
    log_msg(LOG_LEVEL_WARN, "keeper.orphaned", "the supervisor is gone; leaving");
    k->exit_status = EXIT_FAILURE;
    loop_stop(k->loop);
}

static void on_beat(struct keeper *k)
{
    beat_tick(&k->beat);
    if (home_is_there(k))
        chores_tick(k);
    loop_set_timer(k->loop, LOOP_BEAT, beat_due_ms(&k->beat));
}

static void on_event(void *ctx, enum loop_source source)
{
    static void (*const acts[LOOP_SOURCES])(struct keeper *) = {
        [LOOP_ORDERS] = on_orders,
        [LOOP_LIFELINE] = on_lifeline,
        [LOOP_COMMIT] = chores_run,
        [LOOP_BEAT] = on_beat,
        [LOOP_LOOK] = chores_run,
        [LOOP_DUE] = chores_run,
    };
    acts[source](ctx);
}

static int keep(struct keeper *k)
{
    loop_watch(k->loop, LOOP_ORDERS, FD_ORDERS);
    loop_watch(k->loop, LOOP_LIFELINE, FD_LIFELINE);
    loop_set_timer(k->loop, LOOP_BEAT, beat_due_ms(&k->beat));
    loop_run(k->loop, on_event, k);
    watch_close(&k->watch);
    catalog_free(k->catalog);
    store_close(k->store);
    loop_free(k->loop);
    return k->exit_status;
}

static int fail(const struct err *err, int status)
{
    log_msg(LOG_LEVEL_ERROR, "keeper.failed", "%s", err->text);
    return status;
}

int main(int argc, char **argv)
{
    struct keeper k = {
        .supervisor_pid = getppid(),
        .watch = {.fd = -1},
        .told_backlog = -1,
        .gap_ms = 1,
        .checkpoint_gap_ms = 1,
    };
    struct err err = {""};
    (void)argv;
    (void)umask(077);
    (void)signal(SIGXFSZ, SIG_IGN); /* ulimit -f is an error of the write */
    log_setup("keeper", -1, LOG_LEVEL_INFO);
    if (argc != 1) {
        (void)fprintf(stderr, "stint-keeper: started by stintd only; run: stint run\n");
        return 2;
    }
    if (gethostname(k.host, sizeof(k.host) - 1) != 0)
        (void)snprintf(k.host, sizeof(k.host), "localhost");
    if (pool_mem_map(FD_POOL, &k.mem, &err) != RC_OK)
        return fail(&err, EXIT_FAILURE);
    if (config_box_map(FD_CONFIG, &k.box, &err) != RC_OK || reload_take(&k, 0, &err) != RC_OK)
        return fail(&err, EX_CONFIG);
    log_set_level(atomic_load(&k.mem->log_level));
    log_target_follow(k.config->pool.log, k.config->pool.log_file, &k.mem->log_generation);
    if (loop_new(&k.loop, &err) != RC_OK)
        return fail(&err, EXIT_FAILURE);
    beat_init(&k.beat, k.mem, k.config->pool.heartbeat_interval_ms);
    int status = keep(&k);
    config_free(k.config);
    config_box_unmap(k.box);
    return status;
}
