#include "supervisor/start.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cgroup_own.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log_target.h"
#include "common/base/proctree.h"
#include "common/base/sys.h"
#include "common/config/parse.h"
#include "common/config/places.h"
#include "common/config/programs.h"
#include "common/config/source.h"
#include "common/ipc/live.h"
#include "supervisor/buckets.h"
#include "supervisor/lock.h"

#define LOCK_WAIT_MS 30000
#define LEFT_OVER_WAIT_MS 30000
#define LOOK_AGAIN_MS 5
#define DESCRIPTORS_A_WORKER 2
#define DESCRIPTORS_ELSE 96 /* clients, keeper, memory, the standard ones, room */

/* Parses what will travel, and keeps the packed block for the children and for `config`. */
static enum rc accept_sources(
    struct pool *pool, const char *path, struct buf *packed, struct err *err)
{
    struct config_sources sources = {0};
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    enum rc rc = config_sources_read(path, &sources, err);

    if (rc != RC_OK)
        return RC_INVALID;
    rc = config_parse(&sources, &config, &problems);
    if (rc == RC_OK) {
        places_check(config, &problems, NULL);
        programs_check_writable(config, &problems);
    }
    if (rc == RC_OK && problems.len > 0) {
        config_free(config);
        rc = RC_INVALID;
    }
    if (rc == RC_OK) {
        config_sources_pack(&sources, packed);
        pool->config = config;
    } else {
        (void)fputs(buf_str(&problems), stderr);
        rc = err_set(err, RC_INVALID, "%s is not accepted", path);
    }
    config_sources_fini(&sources);
    return rc;
}

static enum rc fill_box(struct pool *pool, const struct buf *packed, struct err *err)
{
    const struct config_stamp first = {1, 1};
    enum rc rc = config_box_new(&pool->config_fd, &pool->box, err);

    if (rc == RC_OK)
        rc = config_box_propose(pool->box, pool->config_fd, &first, packed, err);
    if (rc == RC_OK)
        config_box_accept(pool->box, first.generation);
    return rc == RC_LIMIT ? RC_INVALID : rc;
}

/* Not resolved: a link that is changed to another file is followed by the next reload. */
static char *absolute_path(const char *path)
{
    char here[PATH_MAX];

    while (strncmp(path, "./", 2) == 0 && path[2] != '\0') {
        path += 2;
        path += strspn(path, "/");
    }
    return sys_path_join(getcwd(here, sizeof here) != NULL ? here : ".", path);
}

/* Only as far as needed: handlers inherit it, and some programs mind a high limit. */
static void raise_descriptor_limit(void)
{
    const rlim_t wanted = DESCRIPTORS_A_WORKER * POOL_SLOTS_MAX + DESCRIPTORS_ELSE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What TTIN and TTOU made of the number lasts until a configuration says another. */
static void take_workers(struct pool *pool, const struct pool_options *old)
{
    const struct pool_options *accepted = &pool->config->pool;
    bool is_same = old != NULL && old->workers_min == accepted->workers_min &&
                   old->workers_max == accepted->workers_max;

    if (is_same || (old != NULL && pool->asked_min > 0))
        return;
    pool->workers_min = pool->asked_min > 0 ? pool->asked_min : accepted->workers_min;
    pool->workers_max = pool->asked_min > 0 ? pool->asked_max : accepted->workers_max;
    if (pool->workers_max > POOL_SLOTS_MAX)
        pool->workers_max = POOL_SLOTS_MAX;
    if (pool->workers_min > pool->workers_max)
        pool->workers_min = pool->workers_max;
    /* What a default of 1,024 descriptors holds is left alone. */
    if (pool->workers_max > 400)
        raise_descriptor_limit();
}

void start_take_options(struct pool *pool, const struct config *old)
{
    const struct pool_options *accepted = &pool->config->pool;

    take_workers(pool, old != NULL ? &old->pool : NULL);
    pool->limits.heartbeat_timeout_ms = accepted->heartbeat_timeout_ms;
    pool->limits.write_timeout_ms = accepted->write_timeout_ms;
}

/* --log is an override of [pool] log like any other: children and reloads see it, too. Its path is
 * relative to where it was typed. */
static void override_log(const char *log)
{
    CLEANUP_FREE char *file = NULL;

    if (log == NULL)
        return;
    if (strncmp(log, "file ", 5) == 0) {
        CLEANUP_FREE char *path = absolute_path(log + 5);

        file = xasprintf("file %s", path);
    }
    (void)setenv("STINT_POOL_LOG", file != NULL ? file : log, 1);
}

enum rc start_accept(struct pool *pool, const struct args *args, struct err *err)
{
    const char *path = args->config_path != NULL ? args->config_path : config_default_path();
    CLEANUP(buf_fini) struct buf packed = BUF_INIT;
    enum rc rc;

    override_log(args->log);
    rc = accept_sources(pool, path, &packed, err);
    if (rc == RC_OK)
        rc = fill_box(pool, &packed, err);
    if (rc != RC_OK)
        return rc;
    pool->config_path = absolute_path(path);
    pool->asked_min = args->workers_min;
    pool->asked_max = args->workers_max;
    pool->log_level = args->log_level;
    pool->is_drain = args->is_drain;
    pool->started_wall_ms = clock_wall_ms();
    start_take_options(pool, NULL);
    rc = log_target_open(pool->config->pool.log, pool->config->pool.log_file, err);
    if (rc != RC_OK)
        return rc;
    rc = sys_find_program("stint-keeper", &pool->keeper_path, err);
    if (rc == RC_OK)
        rc = sys_find_program("stint-worker", &pool->worker_path, err);
    if (rc != RC_OK)
        return rc;
    rc = lock_check_place(pool->config->pool.socket, err);
    if (rc == RC_OK)
        rc = lock_check_file(pool->config, pool->config_path, err);
    if (rc != RC_OK)
        return rc;
    return lock_take(
        pool->config->pool.directory, pool->config->pool.socket, LOCK_WAIT_MS, &pool->lock_fd, err);
}

/* Handlers of a pool that died whole are in its control group, if it had one, and bear its
 * STINT_POOL_ID; ours is not given out yet. A process shows no environment in the middle of its
 * exec, so "none" must be found twice. */
static void end_left_overs(struct pool *pool, const char *prefix)
{
    int64_t until = clock_mono_ns() + LEFT_OVER_WAIT_MS * NS_PER_MS;
    size_t first = 0, left = 0;
    int nones = 0;
    char group[64];

    (void)snprintf(group, sizeof group, "stint-%.*s", (int)strlen(prefix) - 1, prefix);
    if (!cgroup_open(&pool->cgroup, group, until))
        log_msg(LOG_LEVEL_WARN, "handler.unkillable",
            "processes of an old pool do not end (see cgroup.procs in %s); going on",
            pool->cgroup.path);
    do {
        left = proctree_kill_marked("STINT_POOL_ID", prefix);
        first = left > first ? left : first;
        nones = left == 0 ? nones + 1 : 0;
        if (left > 0)
            (void)poll(NULL, 0, LOOK_AGAIN_MS); /* not our children: their end is no event to us */
    } while (nones < 2 && clock_mono_ns() < until);
    if (first > 0)
        log_msg(LOG_LEVEL_INFO, "pool.left_over",
            "ended %zu processes that an old pool left behind", first);
    if (left > 0)
        log_msg(LOG_LEVEL_WARN, "handler.unkillable",
            "%zu processes of an old pool do not end after SIGKILL (a stuck disk?); going on",
            left);
}

/* Of a divided group the handlers' kills are told by their workers. */
static void watch_oom(struct pool *pool)
{
    char workers[PATH_MAX + 16];

    cgroup_divide(&pool->cgroup);
    (void)snprintf(workers, sizeof workers, "%s/" CGROUP_POOL, pool->cgroup.path);
    oom_init(&pool->oom, pool->cgroup.is_divided ? workers : NULL);
}

enum rc start_prepare(struct pool *pool, struct err *err)
{
    char prefix[48], pool_id[64];
    struct stat st;
    enum rc rc;

    if (fstat(pool->lock_fd, &st) != 0)
        return err_sys(err, errno, "cannot look at %s", pool->config->pool.directory);
    (void)snprintf(prefix, sizeof prefix, "%ju-%ju-", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    (void)snprintf(pool_id, sizeof pool_id, "%s%016" PRIx64, prefix, sys_random() >> 4);
    end_left_overs(pool, prefix);
    rc = proctree_become_subreaper(err);
    if (rc == RC_OK)
        rc = pool_mem_new(POOL_SLOTS_MAX, pool_id, &pool->mem_fd, &pool->mem, err);
    if (rc == RC_OK)
        rc = live_new(POOL_SLOTS_MAX, &pool->live_fd, err);
    if (rc == RC_OK)
        buckets_apply(pool->mem, pool->config);
    if (rc == RC_OK)
        rc = sys_pipe(pool->lifeline, true, err);
    if (rc == RC_OK)
        atomic_store(&pool->mem->spec_generation, 1);
    if (rc == RC_OK)
        atomic_store(&pool->mem->log_level, (uint32_t)pool->log_level);
    watch_oom(pool);
    return rc;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void start_undo(struct pool *pool)
{
    oom_fini(&pool->oom);
    cgroup_close(&pool->cgroup);
    close_fd(&pool->lifeline[0]);
    close_fd(&pool->lifeline[1]);
    pool_mem_unmap(pool->mem);
    close_fd(&pool->mem_fd);
    close_fd(&pool->config_fd);
    close_fd(&pool->live_fd);
    config_box_unmap(pool->box);
    free(pool->keeper_path);
    free(pool->worker_path);
    reload_fini(&pool->reload);
    free(pool->config_path);
    config_free(pool->config);
    pool_init(pool); /* but not the lock: it goes with the process, after everything else */
}
