#include "worker/launch.h"

#include <signal.h>

#include "common/base/cleanup.h"
#include "worker/limits.h"
#include "worker/worker.h"

enum rc launch(
    struct worker *w, const struct launch *what, pid_t *ret_pid, int *ret_errno, struct err *err)
{
    CLEANUP(limits_fini) struct limits limits;
    const struct stage_tuning *tuning = &what->words.stage->spec->tuning;
    const bool is_grouped =
        tuning->memory_bytes > 0 && memgroup_limit(&w->memgroup, tuning->memory_bytes);
    enum rc rc = limits_init(&limits, tuning, is_grouped, err);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < what->fds_len; i++)
        if (what->fds[i].to != 0) /* that one is only read, and not opened again */
            limits_give(&limits, what->fds[i].from);
    char **envp = handler_env_new(&w->env, &what->words);
    limits_fill_env(&limits, &what->words.stage->spec->env, envp);
    struct spawn_opts opts = {
        .path = what->path,
        .argv = what->argv,
        .envp = envp,
        .cwd = w->config->directory,
        .fds = what->fds,
        .fds_len = what->fds_len,
        .is_new_session = true,
        .is_no_new_privs = true,
        .parent_death_signal = SIGKILL,
        .umask = what->umask,
        .changed_signals = &w->changed_signals,
        .cgroup_fd = is_grouped ? w->memgroup.procs_fd : -1,
        .pid_word = &w->life.slot->handler_pid,
    };
    limits_apply(&limits, tuning, &opts);
    rc = spawn(&opts, ret_pid, ret_errno, err);
    handler_env_free(envp, &what->words);
    return rc;
}
