/* The half of doctor.h about the configuration and the pool: does one run, and what did a dead one
 * leave. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/named.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/locks.h"
#include "common/base/sys.h"

#define ABOUT "pool"
#define ENVIRON_MAX ((size_t)1 << 20)

/* ---- configuration ---- */

static void add_lines(struct doctor *d, enum finding_state state, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        const char *at = text;
        size_t skip = 0;
        if (state == FINDING_WARNING) { /* said by the state word */
            const char *word = strstr(at, "warning: ");
            skip = word && word < at + len ? strlen("warning: ") : 0;
            doctor_add(d, state, "configuration", "%.*s%.*s", (int)(skip ? word - at : 0), at,
                (int)(len - (skip ? (size_t)(word - at) + skip : 0)), skip ? word + skip : at);
        } else {
            doctor_add(d, state, "configuration", "%.*s", (int)len, at);
            doctor_fix(d, "mend that, then look again: stint check");
        }
        text += len + (text[len] == '\n');
    }
}

void doctor_look_config(struct doctor *d)
{
    struct cli *cli = d->cli;
    struct buf problems CLEANUP(buf_fini) = BUF_INIT, warnings CLEANUP(buf_fini) = BUF_INIT;
    struct err err = {""};
    cli_parse_files(cli, &problems);
    if (cli->config)
        named_check(cli->config, &problems, &warnings);
    add_lines(d, FINDING_PROBLEM, buf_str(&problems));
    add_lines(d, FINDING_WARNING, buf_str(&warnings));
    if (problems.len == 0)
        doctor_add(d, FINDING_OK, "configuration",
            "%s: %zu job%s; what %s handlers name is there and may run", cli->conf,
            cli->config->jobs_len, cli->config->jobs_len == 1 ? "" : "s",
            cli->config->jobs_len == 1 ? "its" : "their");
    char *directory CLEANUP_FREE = sys_dirname(cli->conf);
    char *beside CLEANUP_FREE = sys_path_join(directory, "stint.sock");
    const char *socket = cli->config ? cli->config->pool.socket : beside;
    char *asked CLEANUP_FREE =
        xstrdup(socket); /* the configuration may be another one afterwards */
    if (cli_take_pool(cli, asked, &err) && cli->presence == POOL_RUNNING) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "%s", err.text);
        doctor_fix(d, "install the same stint for all, then start the pool again");
    }
}

/* ---- a pool that runs ---- */

static void look_running(struct doctor *d)
{
    const struct cli *cli = d->cli;
    const char *version = pool_text(cli, "version"), *state = pool_text(cli, "state");
    int64_t workers = pool_number(cli, "workers", 0),
            target = pool_number(cli, "workers_target", 0);
    bool is_running = state && strcmp(state, "running") == 0;
    doctor_add(d, FINDING_OK, ABOUT,
        "runs: pid %" PRId64 ", %s, %" PRId64 " of %" PRId64 " workers", pool_number(cli, "pid", 0),
        state ? state : "?", workers, target);
    if (version && strcmp(version, STINT_VERSION) != 0) {
        doctor_add(d, FINDING_WARNING, ABOUT, "it is stint %s, this is %s", version, STINT_VERSION);
        doctor_fix(d, "start it again when it suits you: stint stop, stint run");
    }
    if (is_running && workers < target) {
        doctor_add(d, FINDING_WARNING, ABOUT, "%" PRId64 " workers are missing", target - workers);
        doctor_fix(d, "its log says why they end: look for worker.died and worker.throttled");
    }
    if (is_running && pool_number(cli, "keeper_pid", 0) == 0) {
        doctor_add(d, FINDING_PROBLEM, ABOUT, "its keeper is missing: no retry comes due");
        doctor_fix(d, "its log says why: look for keeper.died and keeper.failed");
    }
}

static void look_absent(struct doctor *d, const struct pool_options *pool)
{
    struct stat st;
    char name[32];
    pid_t holder = locks_find(pool->directory, "FLOCK", 0);
    doctor_add(d, FINDING_OK, ABOUT, "none is running for %s", pool->database);
    if (holder > 0) {
        locks_read_name(holder, name, sizeof(name));
        doctor_add(d, FINDING_PROBLEM, ABOUT,
            "nobody answers, but %s (pid %d) or what it left holds the lock on %s",
            *name ? name : "a process that is gone", (int)holder, pool->directory);
        doctor_fix(d, "look at it: ps -f -p %d; a pool that hangs is ended by: kill %d",
            (int)holder, (int)holder);
        return;
    }
    if (lstat(pool->socket, &st) == 0 && S_ISSOCK(st.st_mode)) {
        doctor_add(d, FINDING_WARNING, ABOUT, "a dead pool left its socket %s", pool->socket);
        doctor_fix(d, "nothing to do, the next start replaces it: stint run");
    }
    if (lstat(pool->pid_file, &st) == 0) {
        doctor_add(d, FINDING_WARNING, ABOUT, "a dead pool left its pid file %s", pool->pid_file);
        doctor_fix(d, "nothing to do, the next start replaces it: stint run");
    }
}

/* ---- what a dead pool left ---- */

/* The process's mark of a pool of this directory; NULL: it has none. Caller frees. */
static char *mark_of(int pid, const char *prefix)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", pid);
    if (sys_read_file(path, ENVIRON_MAX, &text, NULL))
        return NULL;
    for (const char *at = buf_str(&text); at < buf_str(&text) + text.len; at += strlen(at) + 1)
        if (strncmp(at, "STINT_POOL_ID=", 14) == 0 && strncmp(at + 14, prefix, strlen(prefix)) == 0)
            return xstrdup(at + 14);
    return NULL;
}

static void look_left_over(struct doctor *d, const struct pool_options *pool)
{
    struct stat st;
    char prefix[48], name[32];
    const char *alive = pool_text(d->cli, "pool_id");
    DIR *proc = stat(pool->directory, &st) == 0 ? opendir("/proc") : NULL;
    (void)snprintf(prefix, sizeof(prefix), "%ju-%ju-", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    for (struct dirent *e; proc && (e = readdir(proc));) {
        int pid = atoi(e->d_name);
        char *mark CLEANUP_FREE = pid > 0 && pid != (int)getpid() ? mark_of(pid, prefix) : NULL;
        if (!mark || (alive && strcmp(mark, alive) == 0))
            continue;
        locks_read_name(pid, name, sizeof(name));
        doctor_add(
            d, FINDING_PROBLEM, "left-over", "%s (pid %d) is left of a pool that died", name, pid);
        doctor_fix(d, "the next start ends it: stint run; or now: kill %d", pid);
    }
    if (proc)
        (void)closedir(proc);
}

static void fix_silent(struct doctor *d, pid_t holder)
{
    if (holder > 0)
        doctor_fix(d,
            "ask as its user, or as root; look at it: ps -f -p %d; a pool that hangs is ended by: "
            "kill %d",
            (int)holder, (int)holder);
    else
        doctor_fix(d, "ask as its user, or as root");
}

void doctor_look_pool(struct doctor *d)
{
    struct cli *cli = d->cli;
    struct stat st;
    if (!cli->config)
        return;
    const struct pool_options *pool = &cli->config->pool;
    if (cli->presence == POOL_RUNNING) {
        look_running(d);
    } else if (cli->presence == POOL_SILENT) {
        doctor_add(
            d, FINDING_PROBLEM, ABOUT, "somebody holds %s, but does not answer you", pool->socket);
        fix_silent(d, locks_find(pool->directory, "FLOCK", 0));
    } else {
        look_absent(d, pool);
    }
    if (lstat(pool->socket, &st) == 0)
        (void)doctor_look_mode(d, "socket", pool->socket, &st, false);
    if (cli->presence != POOL_SILENT)
        look_left_over(d, pool);
}
