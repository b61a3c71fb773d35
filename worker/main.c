/* stint-worker SLOT LIFE: one process of the pool; claims stage runs and runs their handlers.
 * Started by the supervisor only, with the descriptors of common/ipc/fds.h. stint starts it with
 * --try behind these two, for one run without a pool. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/crash.h"
#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "common/ipc/home.h"
#include "worker/accepted.h"
#include "worker/cycle.h"
#include "worker/trial.h"

enum { EXIT_USAGE = 2 };

/* Large results must not make the worker large for the rest of its life. */
static void keep_heap_small(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024); /* and when it falls idle: all: cycle.c */
    (void)mallopt(M_TOP_PAD, 128 * 1024);
}

static enum rc open_loop(struct worker *w, struct err *err)
{
    sigset_t child;
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    (void)signal(SIGPIPE, SIG_IGN); /* a resident that is gone is an error of write */
    spawn_look_at_signals(&w->changed_signals);
    w->child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (w->child_fd < 0)
        return err_set(err, RC_SYS, "no signalfd: out of descriptors or memory");
    enum rc rc = loop_new(&w->loop, err);
    if (rc != RC_OK)
        return rc;
    loop_watch(w->loop, LOOP_CHILD, w->child_fd);
    loop_watch(w->loop, LOOP_WAKE, FD_WAKE);
    loop_watch(w->loop, LOOP_LIFELINE, FD_LIFELINE);
    return RC_OK;
}

/* Without it nobody can look on; everything else goes on. */
static void open_live(struct worker *w)
{
    struct err err;
    w->live.slot = w->life.sent.slot;
    if (live_map(FD_LIVE, true, &w->live.live, &err) == RC_OK)
        live_begin(w->live.live, w->live.slot);
    else
        log_msg(LOG_LEVEL_WARN, "worker.live",
            "%s; stint logs will not show this worker's handlers", err.text);
}

static enum rc open_store(struct worker *w, struct err *err)
{
    struct store_options opts = {
        .path = w->config->pool.database,
        .durability = w->config->pool.durability,
    };
    life_hook(&w->life, &opts.hooks);
    if (home_check(FD_LOCK, w->life.mem, opts.path, err) != HOME_THERE)
        return RC_GONE;
    enum rc rc = store_open(&opts, &w->store, err);
    if (rc == RC_OK)
        rc = store_check_schema(w->store, err);
    return rc == RC_OK ? accepted_load(w, err) : rc;
}

static enum rc work(struct worker *w, struct err *err)
{
    enum rc rc = open_loop(w, err);
    if (rc == RC_OK)
        rc = open_store(w, err);
    if (rc == RC_OK)
        rc = cycle_run(w, err);
    if (rc == RC_OK) {
        life_goodbye(&w->life);
        CRASH_POINT("worker.exit");
    }
    if (rc == RC_CORRUPT)
        atomic_store(&w->life.mem->is_ruined, 1);
    store_close(w->store);
    loop_free(w->loop);
    return rc;
}

/* No pool is there: no log of it is written, no control group was divided. */
static enum rc try_one(struct worker *w, struct err *err)
{
    w->memgroup.procs_fd = -1;
    log_set_level(LOG_LEVEL_ERROR);
    enum rc rc = open_loop(w, err);
    if (rc == RC_OK)
        rc = trial_run(w, err);
    loop_free(w->loop);
    return rc;
}

/* The same for a pool's worker. */
static enum rc serve(struct worker *w, struct err *err)
{
    log_set_level(atomic_load(&w->life.mem->log_level));
    log_target_follow(w->config->pool.log, w->config->pool.log_file, &w->life.mem->log_generation);
    open_live(w);
    memgroup_init(&w->memgroup, NULL, w->life.sent.slot);
    return work(w, err);
}

static int fail(const struct err *err, int status)
{
    log_msg(LOG_LEVEL_ERROR, "worker.failed", "%s", err->text);
    return status;
}

int main(int argc, char **argv)
{
    struct worker w = {.handler_umask = (int)umask(077), .child_fd = -1};
    struct pool_mem *mem = NULL;
    struct err err = {""};
    int64_t slot, life;
    resident_init(&w.resident);
    keep_heap_small();
    (void)signal(SIGXFSZ, SIG_IGN); /* ulimit -f is an error of the write; handlers get it anew */
    const bool is_trial = argc == 4 && strcmp(argv[3], "--try") == 0;
    if ((argc != 3 && !is_trial) ||
        text_int(argv[1], 0, POOL_SLOTS_MAX - 1, &slot, &err) != RC_OK ||
        text_int(argv[2], 1, LIFE_MAX, &life, &err) != RC_OK) {
        (void)fprintf(stderr, "stint-worker: started by stintd only; run: stint run\n");
        return EXIT_USAGE;
    }
    log_setup("worker", (int)slot, LOG_LEVEL_INFO);
    if (pool_mem_map(FD_POOL, &mem, &err) != RC_OK)
        return fail(&err, EXIT_FAILURE);
    if (slot >= mem->slots_len) {
        (void)err_set(&err, RC_INVALID, "slot %d: the pool has %u", (int)slot, mem->slots_len);
        return fail(&err, EXIT_FAILURE);
    }
    if (config_box_map(FD_CONFIG, &w.box, &err) != RC_OK || accepted_take(&w, &err) != RC_OK)
        return fail(&err, EX_CONFIG);
    if (proctree_become_subreaper(&err) != RC_OK)
        return fail(&err, EXIT_FAILURE);
    life_init(&w.life, mem, (uint32_t)slot, life, w.config->pool.heartbeat_interval_ms);
    w.life.spec_generation = w.stamp.spec_generation;
    handler_env_init(&w.env, environ, mem->pool_id);
    enum rc rc = is_trial ? try_one(&w, &err) : serve(&w, &err);
    notes_fini(&w.notes);
    memgroup_fini(&w.memgroup);
    handler_env_fini(&w.env);
    accepted_fini(&w);
    return rc == RC_OK ? EXIT_SUCCESS : fail(&err, EXIT_FAILURE);
}
