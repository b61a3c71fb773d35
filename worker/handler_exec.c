#include "worker/handler_exec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/ipc/fds.h"
#include "worker/certificate.h"
#include "worker/guard.h"
#include "worker/limits.h"
#include "worker/request.h"
#include "worker/result.h"
#include "worker/trial_say.h"
#include "worker/verdict.h"

/* The request as a file that nobody can change, at its beginning. */
static enum rc open_stdin(struct worker *w, const struct attempt *a, int *ret_fd, struct err *err)
{
    CLEANUP(buf_fini) struct buf request = BUF_INIT;
    request_write(&a->run, a->stage, &request);
    if (w->trial != NULL)
        trial_asks(w->trial, request.data, request.len);
    return sys_memfd("stint-request", request.data, request.len, true, ret_fd, err);
}

static enum rc open_pipe(int *ret_read_fd, int *ret_write_fd, struct err *err)
{
    int fds[2];
    enum rc rc = sys_pipe_from_child(fds, err);
    if (rc != RC_OK)
        return rc;
    *ret_read_fd = fds[0];
    *ret_write_fd = fds[1];
    return RC_OK;
}

static enum rc start(struct worker *w, struct attempt *a, const struct command *command,
    int *ret_errno, struct err *err)
{
    CLEANUP_FD int in = -1;
    CLEANUP_FD int out = -1;
    CLEANUP_FD int errors = -1;
    CLEANUP_FD int control = -1;
    CLEANUP(limits_fini) struct limits limits;
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    const bool is_grouped =
        tuning->memory_bytes > 0 && memgroup_limit(&w->memgroup, tuning->memory_bytes);
    enum rc rc = limits_init(&limits, tuning, is_grouped, err);
    if (rc == RC_OK)
        rc = open_stdin(w, a, &in, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->stdout_fd, &out, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->stderr_fd, &errors, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->control_fd, &control, err);
    if (rc != RC_OK)
        return rc;
    limits_give(&limits, out);
    limits_give(&limits, errors);
    limits_give(&limits, control);
    struct spawn_fd fds[] = {{in, 0}, {out, 1}, {errors, 2}, {control, FD_CONTROL},
        {command->config_fd, FD_DISCOVER_CONFIG}};
    char **envp = handler_env_new(&w->env, &a->run, a->stage);
    limits_fill_env(&limits, &a->stage->spec->env, envp);
    struct spawn_opts opts = {
        .path = command->path,
        .argv = command->argv,
        .envp = envp,
        .cwd = w->config->directory,
        .fds = fds,
        .fds_len = command->config_fd >= 0 ? 5 : 4,
        .is_new_session = true,
        .is_no_new_privs = true,
        .parent_death_signal = SIGKILL,
        .umask = command->umask,
        .changed_signals = &w->changed_signals,
        .cgroup_fd = is_grouped ? w->memgroup.procs_fd : -1,
        .pid_word = &w->life.slot->handler_pid,
    };
    limits_apply(&limits, tuning, &opts);
    rc = spawn(&opts, &a->pid, ret_errno, err);
    handler_env_free(envp, &a->run);
    return rc;
}

/* Nothing ran. What cannot be executed will not be executable for the next item either: the stage
 * is paused, nothing is counted. Whatever else failed (no memory, no process) may be better next
 * time. */
static void conclude_not_started(
    struct attempt *a, const struct command *command, enum rc rc, int errnum, const struct err *err)
{
    const char *job = a->stage->job->spec->name, *stage = a->stage->spec->name;
    buf_adds(&a->how, "start");
    if (rc != RC_NOTFOUND && rc != RC_INVALID) {
        buf_adds(&a->why, err->text);
        attempt_conclude(a, END_RETRY);
        return;
    }
    const char *user = a->stage->spec->tuning.user;
    const char *what = errnum == ENOENT ? "no such file, or its interpreter is missing"
                       : errnum == EACCES && !user[0] ? "not an executable file (permission denied)"
                       : errnum == ENOEXEC ? "not a program; does it begin with a #! line?"
                                           : err->text;
    buf_addf(&a->why,
        "handler %s: %s%s%s; check handler of [stage %s.%s]; it is tried again when the pause "
        "ends, and when the pool starts",
        command->path, what, user[0] ? " as user " : "", user, job, stage);
    attempt_conclude(a, END_STAGE_PAUSE);
}

/* Why it ended as it did, in one line: what the handler said last, else how it ended. Whoever was
 * killed did not choose its last words. */
static void explain(struct attempt *a)
{
    if (WIFSIGNALED(a->status)) {
        result_ended(a->status, &a->why);
        return;
    }
    result_last_line(buf_str(&a->tail.text), a->tail.text.len, &a->why);
    if (a->why.len == 0)
        result_ended(a->status, &a->why);
}

/* The final line break is none of the result. */
static bool is_too_long(const struct attempt *a)
{
    size_t len = a->output.len;
    if (len > 0 && a->output.data[len - 1] == '\n')
        len--;
    return len > (size_t)a->stage->spec->tuning.output_size_bytes;
}

static enum end_cause conclude_too_long(struct attempt *a)
{
    char size[32];
    buf_addf(&a->why, "result larger than %s (output_size)",
        text_size(a->stage->spec->tuning.output_size_bytes, size, sizeof(size)));
    buf_adds(&a->how, "output_size");
    return END_FAIL;
}

static enum end_cause conclude_by_status(struct attempt *a)
{
    if (a->heard.outcome != MESSAGE_UNKNOWN)
        return attempt_by_message(a);
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    enum end_cause cause = verdict_exit(tuning, a->status, &a->after_ms);
    if (cause == END_DONE && is_too_long(a))
        return conclude_too_long(a);
    const struct limits_end end = {a->status, &a->usage, a->is_oom};
    if (cause != END_DONE && limits_explain(a->stage->spec, &end, &a->why, &a->how))
        return END_RETRY;
    if (cause == END_RETRY && a->heard.has_limit && WIFEXITED(a->status)) {
        a->after_ms = a->heard.limit_ms;
        cause = END_SNOOZE;
    }
    result_how(a->status, &a->how);
    if (cause == END_DONE)
        result_json(buf_str(&a->output), a->output.len, &a->result);
    else
        explain(a);
    return cause;
}

static enum end_cause conclude_by_cut(struct attempt *a)
{
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    switch (a->cut) {
    case CUT_NONE:
        return conclude_by_status(a);
    case CUT_TIMEOUT:
        result_timeout(tuning->timeout_ms, &a->why);
        buf_adds(&a->how, "timeout");
        return END_RETRY;
    case CUT_OUTPUT:
        return conclude_too_long(a);
    case CUT_BROKEN:
        return attempt_broken(a);
    case CUT_STOPPED:
    case CUT_LOST: /* the store finds the claim gone and records nothing */
        buf_adds(&a->how, a->cut == CUT_LOST ? "claim lost" : "stopped");
        return END_STOPPED;
    }
    return END_STOPPED;
}

static void keep_tail(const struct tail *tail, struct buf *out)
{
    size_t len;
    const char *text = tail_kept(tail, &len);
    result_clean(text, len, out);
}

/* What an attempt leaves behind that did not do its work. */
static void keep_traces(struct attempt *a)
{
    const size_t keep = (size_t)a->stage->spec->tuning.stderr_tail_bytes;
    const size_t len = a->output.len < keep ? a->output.len : keep;
    keep_tail(&a->tail, &a->stderr_text);
    keep_tail(&a->logs, &a->log_text);
    result_clean(buf_str(&a->output) + a->output.len - len, len, &a->stdout_text);
    certificate_write(a, &a->certificate);
}

void handler_exec_run(struct worker *w, struct attempt *a, const struct command *command)
{
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    struct err err = {""};
    int errnum = 0;
    life_enter(&w->life, WORKER_RUNNING, a->run.claim,
        a->started_mono_ns + (tuning->timeout_ms + tuning->grace_ms) * NS_PER_MS);
    enum rc rc = start(w, a, command, &errnum, &err);
    if (rc != RC_OK) {
        conclude_not_started(a, command, rc, errnum, &err);
        return;
    }
    CRASH_POINT("worker.handler_started");
    guard_run(w, a, 0);
    a->is_oom = tuning->memory_bytes > 0 && memgroup_has_killed(&w->memgroup);
    enum end_cause cause = conclude_by_cut(a);
    cause = verdict_text(tuning, cause, buf_str(&a->why));
    if (cause != END_DONE)
        keep_traces(a);
    if (w->trial != NULL && (cause != END_DONE || a->is_by_message)) /* else it is the result */
        trial_text(w->trial, "stdout", buf_str(&a->output), a->output.len);
    attempt_conclude(a, cause);
    buf_fini(&a->output); /* the result has it */
}
