#include "supervisor/signals.h"

#include <signal.h>
#include <stddef.h>

#include "common/base/log.h"
#include "supervisor/death.h"
#include "supervisor/review.h"

static void on_child(struct pool *pool)
{
    death_reap(pool);
}

static void on_stop(struct pool *pool)
{
    pool_stop(pool, stop_next_mode(&pool->stop), "told by a signal");
}

static void on_quit(struct pool *pool)
{
    pool_stop(pool, STOP_QUIT, "told by SIGQUIT");
}

static void on_suspend(struct pool *pool)
{
    pool_suspend(pool, true);
}

static void on_continue(struct pool *pool)
{
    pool_suspend(pool, false);
}

static void on_more(struct pool *pool)
{
    pool_resize(pool, 1);
}

static void on_fewer(struct pool *pool)
{
    pool_resize(pool, -1);
}

static void on_reload(struct pool *pool)
{
    (void)reload_ask(pool); /* the review that follows begins it */
}

static void on_reopen(struct pool *pool)
{
    pool_reopen_log(pool);
}

static const struct {
    int signum;
    void (*act)(struct pool *pool);
} acts[] = {
    {SIGCHLD, on_child},
    {SIGTERM, on_stop},
    {SIGINT, on_stop},
    {SIGQUIT, on_quit},
    {SIGTSTP, on_suspend},
    {SIGCONT, on_continue},
    {SIGTTIN, on_more},
    {SIGTTOU, on_fewer},
    {SIGHUP, on_reload},
    {SIGUSR1, on_reopen},
    {SIGUSR2, pool_dump},
};
#define ACTS_LEN (sizeof acts / sizeof acts[0])

static void handle_signal(void *arg, int signum)
{
    for (size_t i = 0; i < ACTS_LEN; i++) {
        if (acts[i].signum == signum)
            acts[i].act(arg);
    }
    pool_review(arg);
}

void signals_start(struct pool *pool)
{
    int signums[ACTS_LEN];

    for (size_t i = 0; i < ACTS_LEN; i++)
        signums[i] = acts[i].signum;
    loop_on_signals(pool->loop, signums, ACTS_LEN, handle_signal, pool);
}
