/* The half of doctor.h about the machine: clock, limits, control groups, the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/pool.h"
#include "common/base/cgroup_own.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

#define FDS_PER_WORKER 4 /* heartbeat, lifeline, pidfd, and one in hand */
#define FDS_BASE 64
#define PROCS_PER_WORKER 3 /* itself, its handler, one child of that */
#define BORN_WALL_MS                                                                               \
    INT64_C(1763000000000) /* no clock of a running stint says less: November 2025 */

static void look_time(struct doctor *d)
{
    char text[40];
    int64_t now = clock_wall_ms();
    clock_format_wall(now, text, sizeof(text));
    doctor_add(d, now < BORN_WALL_MS ? FINDING_PROBLEM : FINDING_OK, "time", "it is %s%s", text,
        now < BORN_WALL_MS ? ", which is before this program was written" : "");
    if (now < BORN_WALL_MS)
        doctor_fix(d, "set the clock, and keep it right (chrony, systemd-timesyncd)");
}

static void look_limit(struct doctor *d, int which, const char *name, int64_t needed)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)which, &limit) < 0)
        return;
    bool is_open = limit.rlim_cur == RLIM_INFINITY || (int64_t)limit.rlim_cur >= needed;
    bool is_raisable = limit.rlim_max == RLIM_INFINITY || (int64_t)limit.rlim_max >= needed;
    if (is_open) {
        doctor_add(d, FINDING_OK, "limits",
            "%s: as many as %" PRId64 " may be needed, and are allowed", name, needed);
        return;
    }
    doctor_add(d, is_raisable ? FINDING_WARNING : FINDING_PROBLEM, "limits",
        "%s: %ju are allowed here, but %" PRId64 " workers may need %" PRId64, name,
        (uintmax_t)limit.rlim_cur, d->cli->config->pool.workers_max, needed);
    doctor_fix(d, "ulimit -%c %" PRId64 ", or fewer workers in [pool]%s",
        which == RLIMIT_NOFILE ? 'n' : 'u', needed,
        is_raisable ? "" : " (the hard limit is root's to raise)");
}

static void look_cgroup(struct doctor *d)
{
    char dir[PATH_MAX];
    char process[24];
    bool is_v2 = cgroup_find_own(dir, sizeof(dir)), is_running = d->cli->presence == POOL_RUNNING;
    (void)snprintf(process, sizeof(process), "%" PRId64, pool_number(d->cli, "pid", 0));
    if (is_running && cgroup_find_of(process, dir, sizeof(dir)) && strstr(dir, "/stint-"))
        doctor_add(d, FINDING_OK, "cgroup", "v2, the pool has its own: handlers end with it");
    else if (is_v2 && access(dir, W_OK) == 0)
        doctor_add(d, FINDING_OK, "cgroup", "v2, and ours to write: handlers end with their group");
    else
        doctor_add(d, FINDING_OK, "cgroup",
            "%s: what handlers leave behind is found by its mark and its parents instead",
            is_v2 ? "v2, but not delegated to this user" : "no cgroup v2");
}

/* As the pool that runs does it; false: none can be asked. */
static bool look_memory_of_pool(struct doctor *d)
{
    struct buf answer CLEANUP(buf_fini) = BUF_INIT;
    char process[24], dir[PATH_MAX];
    if (d->cli->presence != POOL_RUNNING || cli_ask(d->cli, "workers", &answer, NULL))
        return false;
    const char *rest = buf_str(&answer);
    json_t *worker = pool_next_object(&rest);
    (void)snprintf(process, sizeof(process), "%lld",
        (long long)json_integer_value(json_object_get(worker, "pid")));
    json_decref(worker);
    if (!worker)
        return false;
    bool is_divided = cgroup_find_of(process, dir, sizeof(dir)) && cgroup_is_pools(dir);
    doctor_add(d, FINDING_OK, "memory", "memory = of a stage is held by %s",
        is_divided ? "a control group: the handler and all it starts, together"
                   : "RLIMIT_AS: the address space of each process");
    return true;
}

/* Which of the two holds `memory`: what would be, if no pool can be asked. */
static void look_memory(struct doctor *d)
{
    char dir[PATH_MAX];
    if (look_memory_of_pool(d))
        return;
    bool is_there =
        cgroup_find_own(dir, sizeof(dir)) && cgroup_has_word(dir, "cgroup.controllers", "memory");
    doctor_add(d, FINDING_OK, "memory", "memory = of a stage will be held by %s",
        is_there
            ? "a control group if the pool is started alone in one that it may change (systemd: "
              "Delegate=yes), else by RLIMIT_AS: the address space of each process"
            : "RLIMIT_AS, the address space of each process: no memory controller (cgroup v2) "
              "is there for us");
}

static void look_kernel(struct doctor *d)
{
    struct utsname name;
    if (uname(&name) < 0)
        return;
    int pidfd = sys_pidfd_open(getpid());
    bool has_pidfd = pidfd >= 0, has_waitv = false;
    if (has_pidfd)
        (void)close(pidfd);
#ifdef SYS_futex_waitv
    has_waitv = syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) >= 0 || errno != ENOSYS;
#endif
    if (!has_pidfd) {
        doctor_add(d, FINDING_PROBLEM, "kernel", "%s has no pidfd_open", name.release);
        doctor_fix(d, "stint needs Linux 5.3 or newer (and a sandbox that lets it be called)");
    } else if (!has_waitv) {
        doctor_add(d, FINDING_WARNING, "kernel", "%s has no futex_waitv: workers look more often",
            name.release);
        doctor_fix(d, "Linux 5.16 or newer has it");
    } else {
        doctor_add(d, FINDING_OK, "kernel", "%s, with pidfd and futex_waitv", name.release);
    }
}

void doctor_look_system(struct doctor *d)
{
    look_time(d);
    if (d->cli->config) {
        int64_t workers = d->cli->config->pool.workers_max;
        look_limit(d, RLIMIT_NOFILE, "open files", FDS_BASE + FDS_PER_WORKER * workers);
        look_limit(d, RLIMIT_NPROC, "processes", PROCS_PER_WORKER * workers);
    }
    look_cgroup(d);
    look_memory(d);
    look_kernel(d);
}
