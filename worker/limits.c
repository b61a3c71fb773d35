#include "worker/limits.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config/options.h"
#include "common/config/value_text.h"
#include "worker/result.h"

#define CPU_GRACE_S 2 /* between SIGXCPU and SIGKILL */

/* Never above what we have ourselves: that would be refused. */
static void add(struct limits *l, int resource, int64_t soft, int64_t hard)
{
    struct rlimit own;
    if (getrlimit((enum __rlimit_resource)resource, &own) != 0)
        return;
    rlim_t max = (rlim_t)hard < own.rlim_max ? (rlim_t)hard : own.rlim_max;
    struct rlimit value = {(rlim_t)soft < max ? (rlim_t)soft : max, max};
    l->list[l->len++] = (struct spawn_limit){resource, value};
}

static enum rc take_user(struct limits *l, const char *name, struct err *err)
{
    errno = 0;
    const struct passwd *pw = getpwnam(name);
    int n = LIMITS_GROUPS_MAX;
    if (pw == NULL)
        return err_set(err, RC_INVALID, "user = %s: there is no such user", name);
    if (geteuid() != 0 && pw->pw_uid == geteuid())
        return RC_OK; /* that is us */
    if (geteuid() != 0)
        return err_set(err, RC_INVALID, "user = %s: needs a pool that runs as root", name);
    if (getgrouplist(name, pw->pw_gid, l->groups, &n) < 0)
        return err_set(
            err, RC_INVALID, "user = %s: is in more than %d groups", name, LIMITS_GROUPS_MAX);
    l->has_user = true;
    l->user = (struct spawn_user){pw->pw_uid, pw->pw_gid, l->groups, (size_t)n};
    l->env[0] = xasprintf("HOME=%s", pw->pw_dir);
    l->env[1] = xasprintf("USER=%s", name);
    l->env[2] = xasprintf("LOGNAME=%s", name);
    l->env[3] = xasprintf("SHELL=%s", pw->pw_shell);
    return RC_OK;
}

enum rc limits_init(
    struct limits *l, const struct stage_tuning *tuning, bool is_memory_grouped, struct err *err)
{
    const int64_t cpu_s = (tuning->cpu_ms + 999) / 1000;
    l->len = 0;
    l->has_user = false;
    memset(l->env, 0, sizeof(l->env));
    if (cpu_s > 0)
        add(l, RLIMIT_CPU, cpu_s, cpu_s + CPU_GRACE_S);
    if (tuning->memory_bytes > 0 && !is_memory_grouped)
        add(l, RLIMIT_AS, tuning->memory_bytes, tuning->memory_bytes);
    if (tuning->open_files > 0)
        add(l, RLIMIT_NOFILE, tuning->open_files, tuning->open_files);
    if (tuning->file_size_bytes > 0)
        add(l, RLIMIT_FSIZE, tuning->file_size_bytes, tuning->file_size_bytes);
    return tuning->user[0] != '\0' ? take_user(l, tuning->user, err) : RC_OK;
}

void limits_fini(struct limits *l)
{
    for (size_t i = 0; i < LIMITS_ENV_MAX; i++) {
        free(l->env[i]);
        l->env[i] = NULL;
    }
}

void limits_apply(
    const struct limits *l, const struct stage_tuning *tuning, struct spawn_opts *opts)
{
    opts->limits = l->list;
    opts->limits_len = l->len;
    opts->nice = (int)tuning->nice;
    opts->user = l->has_user ? &l->user : NULL;
}

static bool is_same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_configured(const struct env *configured, const char *entry)
{
    for (size_t i = 0; i < configured->len; i++) {
        if (is_same_name(entry, configured->list[i].entry))
            return true;
    }
    return false;
}

void limits_fill_env(const struct limits *l, const struct env *configured, char **envp)
{
    for (size_t i = 0; i < LIMITS_ENV_MAX; i++) {
        char **at = envp;
        if (l->env[i] == NULL || is_configured(configured, l->env[i]))
            continue;
        while (*at != NULL && !is_same_name(l->env[i], *at))
            at++;
        *at = l->env[i];
    }
}

void limits_give(const struct limits *l, int fd)
{
    if (l->has_user)
        (void)!fchown(fd, l->user.uid, l->user.gid);
}

/* By a signal, or by a shell that tells of one: 128 + the signal. */
static bool is_ended_by(int status, int signum)
{
    return (WIFSIGNALED(status) && WTERMSIG(status) == signum) ||
           (WIFEXITED(status) && WEXITSTATUS(status) == 128 + signum);
}

static void add_value(const struct stage_spec *stage, const char *key, struct buf *out)
{
    (void)value_add_text(option_find(SECTION_STAGE, key), NULL, stage, out);
}

static int64_t used_ms(const struct rusage *u)
{
    return ((int64_t)u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000 +
           (u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1000;
}

/* Killed by the kernel at the hard limit: it ignored SIGXCPU. */
static bool is_cpu_limit(const struct stage_tuning *tuning, const struct limits_end *end)
{
    if (tuning->cpu_ms == 0)
        return false;
    return is_ended_by(end->status, SIGXCPU) ||
           (is_ended_by(end->status, SIGKILL) && used_ms(end->usage) >= tuning->cpu_ms);
}

static void add_time(struct timeval *sum, const struct timeval *more)
{
    sum->tv_sec += more->tv_sec + (sum->tv_usec + more->tv_usec) / 1000000;
    sum->tv_usec = (sum->tv_usec + more->tv_usec) % 1000000;
}

void limits_add_usage(struct rusage *sum, const struct rusage *more)
{
    add_time(&sum->ru_utime, &more->ru_utime);
    add_time(&sum->ru_stime, &more->ru_stime);
    if (more->ru_maxrss > sum->ru_maxrss)
        sum->ru_maxrss = more->ru_maxrss;
}

bool limits_explain(
    const struct stage_spec *stage, const struct limits_end *end, struct buf *why, struct buf *how)
{
    const struct stage_tuning *tuning = &stage->tuning;
    if (end->is_oom && tuning->memory_bytes > 0 && end->status != 0) {
        buf_adds(why, "out of memory (memory = ");
        add_value(stage, "memory", why);
        buf_addc(why, ')');
        buf_adds(how, "memory");
    } else if (is_cpu_limit(tuning, end)) {
        buf_adds(why, "cpu limit ");
        result_span(tuning->cpu_ms, why);
        buf_adds(why, " (cpu)");
        buf_adds(how, "cpu");
    } else if (tuning->file_size_bytes > 0 && is_ended_by(end->status, SIGXFSZ)) {
        buf_adds(why, "file larger than ");
        add_value(stage, "file_size", why);
        buf_adds(why, " (file_size)");
        buf_adds(how, "file_size");
    } else {
        return false;
    }
    return true;
}
