/* Handlers for real: programs are started, watched and swept away as in a worker, without a
 * database: this file stands in for the two functions of the store that are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/proctree.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "worker/handler_builtin.h"
#include "worker/handler_exec.h"
#include "worker/rooms.h"
#include "worker/trade.h"

static bool is_claim_mine = true;

enum rc store_claim_is_mine(struct store *store, const struct run *run, bool *ret, struct err *err)
{
    (void)store;
    (void)run;
    (void)err;
    *ret = is_claim_mine;
    return RC_OK;
}

int64_t rooms_hand_over_due(const struct worker *worker, int64_t began_mono_ns)
{
    (void)worker;
    (void)began_mono_ns;
    return 0;
}

void trade_hand_over(struct worker *worker)
{
    (void)worker;
}

void run_fini(struct run *run)
{
    free(run->key);
    free(run->data);
    *run = (struct run){0};
}

struct fixture {
    struct worker w;
    struct config config;
    struct stage_spec stage_spec;
    struct job_spec job_spec;
    struct catalog_job job;
    struct catalog_stage stage;
    struct attempt a;
    int mem_fd, lifeline_write;
};

static char root_dir[] = "/", job_name[] = "j", stage_name[] = "s", empty[] = "";

static void put_fd(int fd, int at)
{
    assert_true(fd >= 0);
    assert_int_equal(dup2(fd, at), at);
    assert_int_equal(close(fd), 0);
    assert_int_equal(sys_set_cloexec(at, true), RC_OK);
}

/* The descriptors of fds.h, as the supervisor would have given them. */
static void make_fds(struct fixture *f)
{
    int fds[2];
    for (int fd = 3; fd < 20; fd++) /* so that pipes do not lie where the numbers go */
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    put_fd(fds[1], FD_HEARTBEAT); /* nobody reads: beats are dropped once it is full */
    assert_int_equal(sys_pipe(fds, false, NULL), RC_OK);
    put_fd(fds[0], FD_LIFELINE);
    f->lifeline_write = fds[1];
    put_fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), FD_WAKE);
}

static void make_worker(struct fixture *f)
{
    struct pool_mem *mem = NULL;
    sigset_t child;
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    assert_int_equal(pool_mem_new(1, "1-2-test", &f->mem_fd, &mem, NULL), RC_OK);
    f->w.config = &f->config;
    f->w.handler_umask = 027;
    (void)signal(SIGHUP, SIG_IGN); /* as nohup does: no handler inherits it */
    spawn_look_at_signals(&f->w.changed_signals);
    f->w.child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    assert_int_equal(loop_new(&f->w.loop, NULL), RC_OK);
    loop_watch(f->w.loop, LOOP_CHILD, f->w.child_fd);
    loop_watch(f->w.loop, LOOP_WAKE, FD_WAKE);
    loop_watch(f->w.loop, LOOP_LIFELINE, FD_LIFELINE);
    life_init(&f->w.life, mem, 0, 12, 5);
    handler_env_init(&f->w.env, environ, mem->pool_id);
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    f->config.directory = root_dir;
    f->stage_spec = (struct stage_spec){
        .name = stage_name,
        .version = empty,
        .tuning =
            {
                .timeout_ms = 60000,
                .grace_ms = 60000,
                .max_attempts = 5,
                .stderr_tail_bytes = 100,
                .output_size_bytes = 1000,
            },
    };
    f->job_spec = (struct job_spec){.name = job_name, .stages = &f->stage_spec, .stages_len = 1};
    f->job = (struct catalog_job){.id = 1, .spec = &f->job_spec, .stages = &f->stage};
    f->stage = (struct catalog_stage){.id = 2, .spec = &f->stage_spec, .job = &f->job};
    f->a = (struct attempt)ATTEMPT_INIT;
    is_claim_mine = true;
    make_fds(f);
    make_worker(f);
    assert_int_equal(proctree_become_subreaper(NULL), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    attempt_fini(&f->a);
    handler_env_fini(&f->w.env);
    loop_free(f->w.loop);
    pool_mem_unmap(f->w.life.mem);
    (void)close(f->w.child_fd);
    (void)close(f->mem_fd);
    (void)close(f->lifeline_write);
    free(f);
    return 0;
}

static void begin(struct fixture *f)
{
    struct run run = {
        .id = 7, .claim = claim_make(12, 1), .key = xstrdup("k"), .data = xstrdup("{}")};
    attempt_fini(&f->a);
    attempt_init(&f->a, &run, &f->stage);
}

static void run_program(struct fixture *f, const char *path, const char *arg, const char *text)
{
    char *argv[] = {xstrdup(path), xstrdup(arg), xstrdup(text), NULL};
    struct command command = {.path = path, .argv = argv, .umask = 027, .config_fd = -1};
    begin(f);
    struct attempt *items[] = {&f->a};
    struct call call = {.id = 7, .items = items, .len = 1};
    handler_exec_run(&f->w, &call, &command);
    for (int i = 0; i < 3; i++)
        free(argv[i]);
    assert_true(f->a.has_outcome);
    assert_int_equal(proctree_kill_strangers(NULL, 0), 0);
    assert_int_equal(atomic_load(&f->w.life.slot->handler_pid), 0);
}

static void run_shell(struct fixture *f, const char *text)
{
    run_program(f, "/bin/sh", "-c", text);
}

static void assert_outcome(
    const struct fixture *f, enum end_cause cause, const char *why, const char *how)
{
    if (why != NULL && (f->a.outcome.why == NULL || strcmp(f->a.outcome.why, why) != 0))
        fail_msg("why is \"%s\", not \"%s\"", f->a.outcome.why, why);
    assert_int_equal(f->a.outcome.cause, cause);
    if (how != NULL)
        assert_string_equal(f->a.outcome.how, how);
}

static void test_result_and_request(void **state)
{
    struct fixture *f = *state;
    run_shell(f, "echo hello");
    assert_outcome(f, END_DONE, NULL, "exit 0");
    assert_string_equal(f->a.outcome.result, "\"hello\"");
    run_shell(f, "read -r line; printf '%s\\n' \"$line\"");
    assert_outcome(f, END_DONE, NULL, NULL);
    assert_non_null(strstr(f->a.outcome.result, "\"claim\":\"12-1\""));
    assert_int_equal(f->a.outcome.result[0], '{');
    run_shell(f, ":");
    assert_string_equal(f->a.outcome.result, "null");
}

static void test_statuses(void **state)
{
    struct fixture *f = *state;
    run_shell(f, "exit 3");
    assert_outcome(f, END_RETRY, "exit 3", "exit 3");
    run_shell(f, "echo one >&2; echo HTTP 429 >&2; echo >&2; exit 75");
    assert_outcome(f, END_RETRY, "HTTP 429", "exit 75");
    assert_string_equal(f->a.outcome.stderr_tail, "one\nHTTP 429\n\n");
    run_shell(f, "exit 65");
    assert_outcome(f, END_FAIL, "exit 65", "exit 65");
    run_shell(f, "echo old >&2; exit 99");
    assert_outcome(f, END_SKIP, "old", "exit 99");
    run_shell(f, "exit 78");
    assert_outcome(f, END_STAGE_PAUSE, "exit 78", "exit 78");
    run_shell(f, "kill -9 $$");
    assert_outcome(f, END_RETRY, "killed by signal 9 (SIGKILL)", "signal 9");
    run_shell(f, "kill -PIPE $$"); /* default disposition, whatever ours is */
    assert_outcome(f, END_RETRY, "killed by signal 13 (SIGPIPE)", "signal 13");
}

static void test_start_failures_pause_the_stage(void **state)
{
    struct fixture *f = *state;
    run_program(f, "./no-such-handler", "x", "y");
    assert_outcome(f, END_STAGE_PAUSE,
        "handler ./no-such-handler: no such file, or its interpreter is missing; check handler of "
        "[stage j.s]; it is tried again when the pause ends, and when the pool starts",
        "start");
    run_program(f, "/etc", "x", "y");
    assert_outcome(f, END_STAGE_PAUSE, NULL, "start");
}

static void test_timeout_takes_the_whole_tree(void **state)
{
    struct fixture *f = *state;
    f->stage_spec.tuning.timeout_ms = 50;
    f->stage_spec.tuning.grace_ms = 20;
    run_shell(
        f, "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1000' & sleep 1000; sleep 1000");
    assert_outcome(f, END_RETRY, "timeout after 50 ms", "timeout");
    f->stage_spec.tuning.grace_ms = 60000; /* TERM is enough for this one */
    run_shell(f, "sleep 1000");
    assert_outcome(f, END_RETRY, "timeout after 50 ms", "timeout");
}

static void test_grandchild_does_not_delay_the_end(void **state)
{
    struct fixture *f = *state;
    run_shell(f, "setsid sh -c '(sleep 1000 & sleep 1000) & sleep 1000' & sleep 1000 & echo 1");
    assert_outcome(f, END_DONE, NULL, "exit 0");
    assert_string_equal(f->a.outcome.result, "1");
}

static void test_output_size(void **state)
{
    struct fixture *f = *state;
    f->stage_spec.tuning.output_size_bytes = 1024;
    run_shell(f, "head -c 1023 /dev/zero | tr '\\0' x");
    assert_outcome(f, END_DONE, NULL, NULL);
    run_shell(f, "head -c 1024 /dev/zero | tr '\\0' x");
    assert_outcome(f, END_DONE, NULL, NULL);
    assert_int_equal(strlen(f->a.outcome.result), 1024 + 2);
    run_shell(f, "head -c 1025 /dev/zero | tr '\\0' x");
    assert_outcome(f, END_FAIL, NULL, "output_size");
    assert_null(f->a.outcome.result);
    run_shell(f, "yes; :");
    assert_outcome(f, END_FAIL, NULL, "output_size");
}

static void test_stderr_keeps_its_tail(void **state)
{
    struct fixture *f = *state;
    run_shell(f, "head -c 300000 /dev/zero | tr '\\0' x >&2; printf '\\377last\\n' >&2; exit 1");
    assert_outcome(f, END_RETRY, NULL, "exit 1");
    size_t len = strlen(f->a.outcome.stderr_tail);
    assert_int_equal(len, 100 + 2); /* one byte became U+FFFD */
    assert_string_equal(f->a.outcome.stderr_tail + len - 8, "\xef\xbf\xbdlast\n");
}

static void test_what_a_handler_is_born_with(void **state)
{
    struct fixture *f = *state;
    run_shell(f, "ls /proc/self/fd | tr '\\n' ' '");
    /* 3: messages; 4: ls reads the directory */
    assert_string_equal(f->a.outcome.result, "\"0 1 2 3 4 \"");
    run_shell(f, "umask; pwd; grep NoNewPrivs /proc/self/status | tr '\\t' ' '; "
                 "grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -vc 0000000000000000; exit 0");
    assert_string_equal(f->a.outcome.result, "\"0027\\n/\\nNoNewPrivs: 1\\n0\"");
    run_shell(f, "echo $STINT_JOB $STINT_STAGE $STINT_ITEM $STINT_CLAIM $STINT_POOL_ID");
    assert_string_equal(f->a.outcome.result, "\"j s k 12-1 1-2-test\"");
}

static void test_stop_now_gives_back(void **state)
{
    struct fixture *f = *state;
    uint64_t one = 1;
    atomic_store(&f->w.life.mem->flags, POOL_STOP_NOW);
    assert_int_equal(write(FD_WAKE, &one, sizeof(one)), sizeof(one));
    run_shell(f, "sleep 1000");
    assert_outcome(f, END_STOPPED, NULL, "stopped");
}

static void test_lost_claim_kills(void **state)
{
    struct fixture *f = *state;
    is_claim_mine = false; /* seen with the next heartbeat */
    run_shell(f, "trap '' TERM; sleep 1000; sleep 1000");
    assert_outcome(f, END_STOPPED, NULL, "claim lost");
}

static void run_builtin(struct fixture *f, enum builtin builtin, int64_t ms)
{
    static char text[] = "no such item";
    f->stage_spec.handler = (struct handler){
        .kind = HANDLER_BUILTIN, .builtin = builtin, .builtin_arg = text, .builtin_ms = ms};
    begin(f);
    handler_builtin_run(&f->w, &f->a);
    assert_true(f->a.has_outcome);
}

static void test_builtins(void **state)
{
    struct fixture *f = *state;
    run_builtin(f, BUILTIN_NOOP, 0);
    assert_outcome(f, END_DONE, NULL, NULL);
    assert_string_equal(f->a.outcome.result, "null");
    run_builtin(f, BUILTIN_FAIL, 0);
    assert_outcome(f, END_FAIL, "no such item", "builtin fail");
    int64_t before = clock_mono_ns();
    run_builtin(f, BUILTIN_SLEEP, 30);
    assert_outcome(f, END_DONE, NULL, NULL);
    assert_true(clock_mono_ns() - before >= 30 * NS_PER_MS);
    f->stage_spec.tuning.timeout_ms = 20;
    run_builtin(f, BUILTIN_SLEEP, 1000000);
    assert_outcome(f, END_RETRY, "timeout after 20 ms", "timeout");
}

static void test_sleep_is_cut(void **state)
{
    struct fixture *f = *state;
    is_claim_mine = false;
    run_builtin(f, BUILTIN_SLEEP, 1000000);
    assert_outcome(f, END_STOPPED, NULL, NULL);
    is_claim_mine = true;
    atomic_store(&f->w.life.mem->flags, POOL_STOP_NOW);
    run_builtin(f, BUILTIN_SLEEP, 1000000);
    assert_outcome(f, END_STOPPED, NULL, NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_result_and_request),
        TEST(test_statuses),
        TEST(test_start_failures_pause_the_stage),
        TEST(test_timeout_takes_the_whole_tree),
        TEST(test_grandchild_does_not_delay_the_end),
        TEST(test_output_size),
        TEST(test_stderr_keeps_its_tail),
        TEST(test_what_a_handler_is_born_with),
        TEST(test_stop_now_gives_back),
        TEST(test_lost_claim_kills),
        TEST(test_builtins),
        TEST(test_sleep_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
