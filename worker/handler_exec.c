#include "worker/handler_exec.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/base/script.h"
#include "common/base/sys.h"
#include "common/ipc/fds.h"
#include "worker/exec_end.h"
#include "worker/guard.h"
#include "worker/launch.h"
#include "worker/limits.h"
#include "worker/request.h"
#include "worker/trial_say.h"

/* The request as a file that nobody can change, at its beginning. */
static enum rc open_stdin(struct worker *w, const struct call *call, int *ret_fd, struct err *err)
{
    CLEANUP(buf_fini) struct buf request = BUF_INIT;
    request_write_call(call, call->items[0]->stage, &request);
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

static enum rc start(struct worker *w, const struct call *call, const struct command *command,
    int *ret_errno, struct err *err)
{
    struct attempt *a = call->items[0];
    CLEANUP_FD int in = -1;
    CLEANUP_FD int out = -1;
    CLEANUP_FD int errors = -1;
    CLEANUP_FD int control = -1;
    enum rc rc = open_stdin(w, call, &in, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->stdout_fd, &out, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->stderr_fd, &errors, err);
    if (rc == RC_OK)
        rc = open_pipe(&a->control_fd, &control, err);
    if (rc != RC_OK)
        return rc;
    struct spawn_fd fds[] = {{in, 0}, {out, 1}, {errors, 2}, {control, FD_CONTROL},
        {command->config_fd, FD_DISCOVER_CONFIG}};
    struct launch what = {
        .words = {a->stage, stage_is_batch(a->stage->spec) ? NULL : &a->run, true},
        .path = command->path,
        .argv = command->argv,
        .umask = command->umask,
        .fds = fds,
        .fds_len = command->config_fd >= 0 ? 5 : 4,
    };
    return launch(w, &what, &a->pid, ret_errno, err);
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
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    const bool is_file = errnum == ENOENT || errnum == ENOEXEC;
    const char *what = is_file && script_add_fault(command->path, &fault) ? buf_str(&fault)
                       : errnum == ENOENT ? "no such file, or its interpreter is missing"
                       : errnum == EACCES && !user[0] ? "not an executable file (permission denied)"
                       : errnum == ENOEXEC ? "not a program; does it begin with a #! line?"
                                           : err->text;
    buf_addf(&a->why,
        "handler %s: %s%s%s; check handler of [stage %s.%s]; it is tried again when the pause "
        "ends, and when the pool starts",
        command->path, what, user[0] ? " as user " : "", user, job, stage);
    attempt_conclude(a, END_STAGE_PAUSE);
}

/* As the first one. */
static void conclude_others(const struct call *call)
{
    const struct attempt *lead = call->items[0];
    for (size_t i = 1; i < call->len; i++) {
        buf_adds(&call->items[i]->why, buf_str(&lead->why));
        buf_adds(&call->items[i]->how, buf_str(&lead->how));
        attempt_conclude(call->items[i], lead->outcome.cause);
    }
}

void handler_exec_run(struct worker *w, struct call *call, const struct command *command)
{
    struct attempt *lead = call->items[0];
    const struct stage_tuning *tuning = &lead->stage->spec->tuning;
    struct err err = {""};
    int errnum = 0;
    life_run(&w->life, lead->run.claim,
        lead->started_mono_ns + (tuning->timeout_ms + tuning->grace_ms) * NS_PER_MS);
    enum rc rc = start(w, call, command, &errnum, &err);
    if (rc != RC_OK) {
        conclude_not_started(lead, command, rc, errnum, &err);
        conclude_others(call);
        return;
    }
    life_hold(&w->life, deck_open(&w->deck), call_last_claim(call));
    CRASH_POINT("worker.handler_started");
    guard_run(w, call, 0);
    lead->is_oom = tuning->memory_bytes > 0 && memgroup_has_killed(&w->memgroup);
    exec_end_conclude(w, call);
}
