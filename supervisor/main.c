/* stintd: keeps one pool alive. This file is the wiring: arguments, start, loop, exit code. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log_target.h"
#include "supervisor/args.h"
#include "supervisor/control.h"
#include "supervisor/judge.h"
#include "supervisor/lock.h"
#include "supervisor/lost.h"
#include "supervisor/pool.h"
#include "supervisor/review.h"
#include "supervisor/signals.h"
#include "supervisor/start.h"
#include "supervisor/user.h"

#define WATCHES_MAX (CLIENTS_MAX + 5) /* clients, listeners, keeper */

struct stintd {
    struct pool pool;
    struct control control;
};

static void handle_tick(void *arg)
{
    struct stintd *d = arg;

    control_expire(&d->control);
    judge_tick(&d->pool);
    pool_tell_init(&d->pool);
}

static void handle_alarm(void *arg)
{
    struct stintd *d = arg;

    pool_review(&d->pool);
}

static enum rc serve(struct stintd *d, struct err *err)
{
    struct pool *pool = &d->pool;
    enum rc rc = start_prepare(pool, err);

    if (rc != RC_OK)
        return rc;
    control_serve(&d->control);
    loop_set_tick(pool->loop, judge_period_ms(&pool->limits), handle_tick, d);
    loop_set_alarm_fn(pool->loop, handle_alarm, d);
    log_msg(LOG_LEVEL_INFO, "pool.starting", "stint %s, database %s", STINT_VERSION,
        pool->config->pool.database);
    pool->last_tick_mono_ns = clock_mono_ns();
    pool_review(pool); /* the keeper first; all else follows from its answers */
    loop_run(pool->loop);
    if (pool->is_drain && !pool->link.is_rested && pool->exit_code == 0)
        pool->exit_code = 1;
    log_msg(LOG_LEVEL_INFO, "pool.stopped", "exit code %d", pool->exit_code);
    return RC_OK;
}

/* Two starts at once may both have found nobody. Without the name the pool is found by its socket.
 */
static enum rc open_name(struct stintd *d, struct err *err)
{
    struct pool *pool = &d->pool;
    char *name = lock_name_of_file(pool->config, pool->config_path);
    enum rc rc = name != NULL ? control_open_name(&d->control, name, err) : RC_OK;

    return rc == RC_BUSY ? lock_check_file(pool->config, pool->config_path, err) : RC_OK;
}

/* With the lock held: socket first, so that a second start learns at once who is here. */
static enum rc run(struct stintd *d, struct err *err)
{
    struct pool *pool = &d->pool;
    enum rc rc = loop_new(WATCHES_MAX, &pool->loop, err);

    if (rc != RC_OK)
        return rc;
    signals_start(pool);
    rc = open_name(d, err);
    if (rc == RC_OK)
        rc = control_open(&d->control, pool->config->pool.socket, err);
    if (rc == RC_OK)
        rc = pid_file_write(pool->config->pool.pid_file, err);
    if (rc == RC_OK) {
        rc = serve(d, err);
        if (lost_look(pool)) /* else it is not ours */
            (void)unlink(pool->config->pool.pid_file);
    }
    control_close(&d->control);
    link_detach(pool);
    loop_free(pool->loop);
    return rc;
}

static int exit_code(enum rc rc, const struct err *err)
{
    (void)fprintf(stderr, "stintd: %s\n", err->text);
    if (!log_target_is_stderr())
        log_msg(LOG_LEVEL_ERROR, "pool.failed", "%s", err->text);
    if (rc == RC_BUSY)
        return 75;
    return rc == RC_INVALID ? 78 : 1;
}

/* 0, 1 and 2 must not become something of ours. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd >= 0)
        (void)close(fd);
}

/* Whoever starts us may have had plans of its own for signals (nohup, a shell's background, init):
 * here begins what signals.c says. As PID 1 the rest is ignored by the kernel. */
static void reset_signals(void)
{
    sigset_t none;

    for (int signum = 1; signum < NSIG; signum++)
        (void)signal(signum, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a log that may not grow (ulimit -f) ends nobody */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Root's rights go before anything is opened that is not there already. */
static enum rc keep(struct stintd *d, const struct args *args, struct err *err)
{
    enum rc rc = RC_OK;

    if (args->user != NULL)
        rc = user_become(args->user, err);
    if (rc == RC_OK)
        rc = start_accept(&d->pool, args, err);
    return rc == RC_OK ? run(d, err) : rc;
}

int main(int argc, char **argv)
{
    static struct stintd self;
    struct err err = {""};
    struct args args;
    int code = 0;
    enum rc rc;

    if (!args_parse(argc, argv, &args, &code))
        return code;
    fill_standard_descriptors();
    reset_signals();
    log_setup("supervisor", -1, args.log_level);
    pool_init(&self.pool);
    control_init(&self.control, &self.pool);
    notify_init(&self.pool.notify, args.ready_fd);
    rc = keep(&self, &args, &err);
    code = rc == RC_OK ? self.pool.exit_code : exit_code(rc, &err);
    if (rc != RC_OK)
        notify_failure(&self.pool.notify, err.text);
    notify_fini(&self.pool.notify);
    start_undo(&self.pool);
    return code;
}
