#include "worker/handler_builtin.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "worker/guard.h"
#include "worker/handler_exec.h"
#include "worker/result.h"

static void run_noop(struct worker *w, struct attempt *a)
{
    (void)w;
    buf_adds(&a->result, "null");
    attempt_conclude(a, END_DONE);
}

static void run_fail(struct worker *w, struct attempt *a)
{
    const char *text = a->stage->spec->handler.builtin_arg;
    (void)w;
    buf_adds(&a->why, text != NULL && text[0] != '\0' ? text : "builtin fail");
    buf_adds(&a->how, "builtin fail");
    attempt_conclude(a, END_FAIL);
}

static void run_sleep(struct worker *w, struct attempt *a)
{
    const struct stage_tuning *tuning = &a->stage->spec->tuning;
    int64_t until = a->started_mono_ns + a->stage->spec->handler.builtin_ms * NS_PER_MS;
    life_run(&w->life, a->run.claim,
        a->started_mono_ns + (tuning->timeout_ms + tuning->grace_ms) * NS_PER_MS);
    struct call call = {.items = &a, .len = 1};
    guard_run(w, &call, until);
    if (a->cut == CUT_NONE) {
        buf_adds(&a->result, "null");
        attempt_conclude(a, END_DONE);
    } else if (a->cut == CUT_TIMEOUT) {
        result_timeout(tuning->timeout_ms, &a->why);
        buf_adds(&a->how, "timeout");
        attempt_conclude(a, END_RETRY);
    } else {
        attempt_conclude(a, END_STOPPED);
    }
}

static void conclude_not_begun(struct attempt *a, enum end_cause cause, const struct err *err)
{
    buf_adds(&a->why, err->text);
    attempt_conclude(a, cause);
}

/* The item's key is the name of the job to discover for. Our own umask: it writes the database. It
 * goes by the configuration of this worker, whatever was accepted meanwhile. */
static void run_discover(struct worker *w, struct attempt *a)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = -1;
    struct err err;
    if (sys_find_program("stint-discover", &path, &err) != RC_OK) {
        conclude_not_begun(a, END_STAGE_PAUSE, &err);
        return;
    }
    if (sys_memfd("stint-config", w->packed.data, w->packed.len, true, &fd, &err) != RC_OK) {
        conclude_not_begun(a, END_RETRY, &err);
        return;
    }
    char *argv[] = {path, a->run.key, NULL};
    struct command command = {.path = path, .argv = argv, .umask = -1, .config_fd = fd};
    struct call call = {.id = a->run.id, .items = &a, .len = 1};
    handler_exec_run(w, &call, &command);
}

void handler_builtin_run(struct worker *w, struct attempt *a)
{
    static void (*const handlers[])(struct worker *, struct attempt *) = {
        [BUILTIN_NOOP] = run_noop,
        [BUILTIN_SLEEP] = run_sleep,
        [BUILTIN_FAIL] = run_fail,
        [BUILTIN_DISCOVER] = run_discover,
    };
    handlers[a->stage->spec->handler.builtin](w, a);
}
