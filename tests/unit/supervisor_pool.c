/* stintd as a whole, with stand-ins for keeper and workers (supervisor_fake.c): deaths, verdicts,
 * stopping, starting twice, the control socket. Nothing here waits for time to pass: each test reads
 * what the processes say on descriptor 2 until the awaited words come, or a generous limit ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"
#include "common/ipc/control.h"

#define LIMIT_NS (60 * NS_PER_S)
#define LIMIT_MS 60000

struct daemon_under_test {
    char dir[64];
    char socket[80];
    pid_t pid;
    int out; /* what it and its children write to descriptor 2 */
    struct buf text;
    size_t read_to; /* expect() goes on from here */
};

static const char *stintd_path, *fake_path; /* the program under test and supervisor-fake */

static void copy_program(const char *from, const char *dir, const char *name)
{
    struct buf bytes = BUF_INIT;
    char *to = sys_path_join(dir, name);
    int fd;

    assert_int_equal(sys_read_file(from, 64u << 20, &bytes, NULL), RC_OK);
    fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(sys_write_all(fd, bytes.data, bytes.len), RC_OK);
    (void)close(fd);
    free(to);
    buf_fini(&bytes);
}

static void write_config(const char *dir, const char *options)
{
    char *path = sys_path_join(dir, "stint.conf");
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    (void)fprintf(f, "[pool]\ndatabase = stint.db\n%s\n[job a]\nhandler = builtin noop\n", options);
    (void)fclose(f);
    free(path);
}

static int setup(void **state)
{
    struct daemon_under_test *d = xcalloc(1, sizeof *d);

    (void)snprintf(d->dir, sizeof d->dir, "/tmp/stint-supervisor-XXXXXX");
    assert_non_null(mkdtemp(d->dir));
    (void)snprintf(d->socket, sizeof d->socket, "%s/stint.sock", d->dir);
    copy_program(stintd_path, d->dir, "stintd");
    copy_program(fake_path, d->dir, "stint-keeper");
    copy_program(fake_path, d->dir, "stint-worker");
    d->out = -1;
    *state = d;
    return 0;
}

/* All that was started must be gone: a child that still holds descriptor 2 would keep us here. */
static int teardown(void **state)
{
    static const char *const files[] = {"stintd", "stint-keeper", "stint-worker", "stint.conf", "died"};
    struct daemon_under_test *d = *state;

    if (d->pid > 0) {
        (void)kill(d->pid, SIGKILL);
        (void)waitpid(d->pid, NULL, 0);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = sys_path_join(d->dir, files[i]);

        (void)unlink(path);
        free(path);
    }
    (void)close(d->out);
    buf_fini(&d->text);
    if (d->pid <= 0)
        assert_int_equal(rmdir(d->dir), 0); /* socket and pid file are gone */
    free(d);
    return 0;
}

static void start(struct daemon_under_test *d, const char *const *args)
{
    char *path = sys_path_join(d->dir, "stintd");
    const char *argv[16] = {path, "--log-level", "debug"};
    int fds[2], argc = 3;

    while (args != NULL && *args != NULL)
        argv[argc++] = *args++;
    if (d->out >= 0)
        (void)close(d->out);
    buf_reset(&d->text);
    d->read_to = 0;
    assert_int_equal(sys_pipe(fds, false, NULL), RC_OK);
    const struct spawn_fd map[] = {{fds[1], 2}};
    const struct spawn_opts opts = {.path = path, .argv = (char *const *)(uintptr_t)argv, .cwd = d->dir,
        .fds = map, .fds_len = 1, .parent_death_signal = SIGTERM, .umask = -1};
    assert_int_equal(spawn(&opts, &d->pid, NULL, NULL), RC_OK);
    (void)close(fds[1]);
    d->out = fds[0];
    assert_int_equal(sys_set_nonblock(d->out, true), RC_OK);
    free(path);
}

/* Reads on until `words` appear after what was expected before; returns what follows them. */
static const char *expect(struct daemon_under_test *d, const char *words)
{
    int64_t until = clock_mono_ns() + LIMIT_NS;

    for (;;) {
        struct pollfd pfd = {d->out, POLLIN, 0};
        const char *at = strstr(buf_str(&d->text) + d->read_to, words);
        enum rc rc;

        /* The whole line must be there. */
        if (at != NULL && strchr(at, '\n') != NULL) {
            d->read_to = (size_t)(at - buf_str(&d->text)) + strlen(words);
            return at + strlen(words);
        }
        rc = sys_read_avail(d->out, 64u << 20, &d->text);
        at = strstr(buf_str(&d->text) + d->read_to, words);
        if (rc == RC_DONE && at == NULL)
            fail_msg("the end came before \"%s\":\n%s", words, buf_str(&d->text));
        if (rc == RC_AGAIN && at == NULL && poll(&pfd, 1, 1000) == 0 && clock_mono_ns() > until)
            fail_msg("never said \"%s\":\n%s", words, buf_str(&d->text));
    }
}

/* "fake: worker LIFE PID" */
static pid_t expect_worker(struct daemon_under_test *d, long long *ret_life)
{
    long long life = 0, pid = 0;

    assert_int_equal(sscanf(expect(d, "fake: worker "), "%lld %lld", &life, &pid), 2);
    if (ret_life != NULL)
        *ret_life = life;
    return (pid_t)pid;
}

static void expect_settled(struct daemon_under_test *d, long long life, int cause)
{
    char words[64];

    (void)snprintf(words, sizeof words, "fake: settle %lld %d\n", life, cause);
    (void)expect(d, words);
}

static int wait_for_end(struct daemon_under_test *d)
{
    char rest[4096];
    int status = -1;

    /* End of file: nobody of the pool is left. */
    (void)sys_set_nonblock(d->out, false);
    while (read(d->out, rest, sizeof rest) > 0)
        continue;
    assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
    d->pid = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void stop(struct daemon_under_test *d)
{
    assert_int_equal(kill(d->pid, SIGTERM), 0);
    assert_int_equal(wait_for_end(d), 0);
}

static void test_start_and_stop(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 3");
    start(d, NULL);
    (void)expect(d, "fake: start 0 ");
    for (int i = 0; i < 3; i++)
        (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGTERM), 0);
    for (int i = 0; i < 3; i++)
        (void)expect(d, "verdict=retired");
    (void)expect(d, "fake: finish");
    assert_int_equal(wait_for_end(d), 0);
}

static void test_killed_worker_is_settled_and_replaced(void **state)
{
    struct daemon_under_test *d = *state;
    long long life, next;
    pid_t pid;

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    pid = expect_worker(d, &life);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(kill(pid, SIGKILL), 0);
        expect_settled(d, life, 0);
        (void)expect(d, "killed by signal 9");
        pid = expect_worker(d, &next); /* at once: SIGKILL throttles nobody */
        assert_true(next > life);
        life = next;
    }
    assert_null(strstr(buf_str(&d->text), "throttled"));
    stop(d);
}

static void test_stopped_worker_is_hung(void **state)
{
    struct daemon_under_test *d = *state;
    long long life;
    pid_t pid;

    write_config(d->dir, "workers = 1\nheartbeat_interval = 100ms\nheartbeat_timeout = 1s");
    start(d, NULL);
    pid = expect_worker(d, &life);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    expect_settled(d, life, 0);
    (void)expect(d, "no heartbeat for 1000 ms");
    (void)expect_worker(d, NULL);
    stop(d);
}

/* A supervisor that stood still for five timeouts and more (the worker counts 40 beats of 50 ms
 * from one line to the next) kills nobody. */
static void test_own_stall_kills_nobody(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 1\nheartbeat_interval = 100ms\nheartbeat_timeout = 400ms");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGSTOP), 0);
    for (int i = 0; i < 3; i++)
        (void)expect(d, "fake: beats");
    assert_int_equal(kill(d->pid, SIGCONT), 0);
    (void)expect(d, "supervisor.stalled");
    stop(d);
    assert_null(strstr(buf_str(&d->text), "verdict=hung"));
}

static void test_mute_worker_is_hung(void **state)
{
    struct daemon_under_test *d = *state;
    long long life;

    assert_int_equal(setenv("FAKE_WORKER", "mute", 1), 0);
    write_config(d->dir, "workers = 1\nheartbeat_interval = 100ms\nheartbeat_timeout = 300ms");
    start(d, NULL);
    (void)expect_worker(d, &life);
    expect_settled(d, life, 0);
    assert_int_equal(kill(d->pid, SIGQUIT), 0);
    assert_int_equal(wait_for_end(d), 0);
    (void)unsetenv("FAKE_WORKER");
}

static void test_new_keeper_gets_the_orders_again(void **state)
{
    struct daemon_under_test *d = *state;
    long long life;
    pid_t pid;

    assert_int_equal(setenv("FAKE_KEEPER", "dies-at-settle", 1), 0);
    write_config(d->dir, "workers = 1");
    start(d, NULL);
    pid = expect_worker(d, &life);
    assert_int_equal(kill(pid, SIGKILL), 0);
    expect_settled(d, life, 0);
    (void)expect(d, "fake: start 7 "); /* joins the row of the first */
    expect_settled(d, life, 0);
    (void)expect_worker(d, NULL);
    stop(d);
    (void)unsetenv("FAKE_KEEPER");
}

static void test_keeper_that_cannot_begin_ends_the_pool(void **state)
{
    struct daemon_under_test *d = *state;

    assert_int_equal(setenv("FAKE_KEEPER", "exit78", 1), 0);
    write_config(d->dir, "workers = 1");
    start(d, NULL);
    assert_int_equal(wait_for_end(d), 78);
    (void)unsetenv("FAKE_KEEPER");
}

static void test_early_ends_are_throttled(void **state)
{
    struct daemon_under_test *d = *state;

    assert_int_equal(setenv("FAKE_WORKER", "early-exit", 1), 0);
    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect(d, "next try in 100 ms");
    (void)expect(d, "next try in 200 ms");
    (void)expect(d, "next try in 400 ms");
    stop(d);
    (void)unsetenv("FAKE_WORKER");
}

static void test_orphans_are_gone_before_the_settlement(void **state)
{
    struct daemon_under_test *d = *state;
    long long life, orphan = 0;
    pid_t pid;

    assert_int_equal(setenv("FAKE_WORKER", "orphan", 1), 0);
    write_config(d->dir, "workers = 1");
    start(d, NULL);
    assert_int_equal(sscanf(expect(d, "fake: orphan "), "%lld", &orphan), 1);
    d->read_to = 0;
    pid = expect_worker(d, &life);
    assert_int_equal(kill((pid_t)orphan, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    expect_settled(d, life, 0);
    assert_true(kill((pid_t)orphan, 0) != 0 || sys_proc_state((pid_t)orphan) == 'Z');
    stop(d);
    (void)unsetenv("FAKE_WORKER");
}

static void test_second_start_is_refused(void **state)
{
    struct daemon_under_test *d = *state;
    struct daemon_under_test second = *d;
    char pid[32];

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    second.text = (struct buf)BUF_INIT;
    second.out = -1;
    start(&second, NULL);
    (void)snprintf(pid, sizeof pid, "(pid %d)", (int)d->pid);
    (void)expect(&second, "a pool is already running");
    (void)expect(&second, pid);
    assert_int_equal(wait_for_end(&second), 75);
    (void)close(second.out);
    buf_fini(&second.text);
    stop(d);
}

static void test_start_over_the_remains_of_a_kill(void **state)
{
    struct daemon_under_test *d = *state;
    struct stat st;

    write_config(d->dir, "workers = 2");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGKILL), 0);
    assert_int_equal(waitpid(d->pid, NULL, 0), d->pid);
    assert_int_equal(stat(d->socket, &st), 0);
    start(d, NULL);
    (void)expect_worker(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(stat(d->socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    stop(d);
}

static void test_drain(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 2");
    start(d, (const char *const[]){"--drain", NULL});
    (void)expect(d, "fake: watch");
    assert_int_equal(wait_for_end(d), 0);
    assert_int_equal(setenv("FAKE_KEEPER", "rests-undone", 1), 0);
    start(d, (const char *const[]){"--drain", "--workers", "1", NULL});
    (void)expect(d, "fake: watch");
    assert_int_equal(wait_for_end(d), 1);
    (void)unsetenv("FAKE_KEEPER");
}

static void test_deaf_workers_are_killed_as_stopped(void **state)
{
    struct daemon_under_test *d = *state;
    long long life;

    assert_int_equal(setenv("FAKE_WORKER", "deaf", 1), 0);
    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, &life);
    assert_int_equal(kill(d->pid, SIGQUIT), 0);
    expect_settled(d, life, 1);
    assert_int_equal(wait_for_end(d), 0);
    (void)unsetenv("FAKE_WORKER");
}

static void test_second_term_means_now(void **state)
{
    struct daemon_under_test *d = *state;
    long long life;

    assert_int_equal(setenv("FAKE_WORKER", "slow-to-stop", 1), 0);
    write_config(d->dir, "workers = 1\nshutdown_timeout = 1h");
    start(d, NULL);
    (void)expect_worker(d, &life);
    assert_int_equal(kill(d->pid, SIGTERM), 0);
    (void)expect(d, "what runs may finish");
    assert_int_equal(kill(d->pid, SIGINT), 0);
    (void)expect(d, "ended and given back");
    expect_settled(d, life, 2);
    assert_int_equal(wait_for_end(d), 0);
    (void)unsetenv("FAKE_WORKER");
}

static void test_more_and_fewer(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGTTIN), 0);
    (void)expect(d, "workers = 2..2");
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGTTOU), 0);
    (void)expect(d, "verdict=retired");
    assert_int_equal(kill(d->pid, SIGTTOU), 0);
    (void)expect(d, "workers = 1..1"); /* never none */
    stop(d);
}

static void test_hang_up_is_refused(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGHUP), 0);
    (void)expect(d, "reload is not available in this version: restart");
    assert_int_equal(kill(d->pid, SIGUSR2), 0);
    (void)expect(d, "event=dump.pool");
    (void)expect(d, "event=dump.child");
    assert_int_equal(kill(d->pid, SIGTSTP), 0);
    (void)expect(d, "event=pool.suspended");
    assert_int_equal(kill(d->pid, SIGCONT), 0);
    (void)expect(d, "event=pool.resumed");
    stop(d);
}

static void ask(struct daemon_under_test *d, const char *request, struct buf *payload)
{
    struct err err = {""};

    buf_reset(payload);
    if (control_ask(d->socket, request, LIMIT_MS, payload, &err) != RC_OK)
        fail_msg("%s: %s", request, err.text);
}

static void test_control_socket(void **state)
{
    struct daemon_under_test *d = *state;
    struct buf payload = BUF_INIT;
    struct err err;
    int lines = 0;

    write_config(d->dir, "workers = 120");
    start(d, NULL);
    for (int i = 0; i < 120; i++)
        (void)expect_worker(d, NULL);
    ask(d, "ping", &payload);
    assert_non_null(strstr(buf_str(&payload), "\"pool_id\":\""));
    ask(d, "status", &payload);
    assert_non_null(strstr(buf_str(&payload), "\"state\":\"running\""));
    assert_non_null(strstr(buf_str(&payload), "\"workers_target\":120,\"workers\":120"));
    ask(d, "workers", &payload); /* more than one piece */
    for (const char *p = buf_str(&payload); (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, 120);
    ask(d, "config", &payload);
    assert_non_null(memmem(payload.data, payload.len, "builtin noop", 12));
    ask(d, "wake 3", &payload);
    assert_int_equal(control_ask(d->socket, "wake x", LIMIT_MS, NULL, &err), RC_INVALID);
    assert_int_equal(control_ask(d->socket, "reload", LIMIT_MS, NULL, &err), RC_INVALID);
    assert_int_equal(control_ask(d->socket, "dance", LIMIT_MS, NULL, &err), RC_INVALID);
    assert_non_null(strstr(err.text, "unknown request"));
    ask(d, "stop", &payload);
    buf_fini(&payload);
    assert_int_equal(wait_for_end(d), 0);
}

/* Clients that connect and say nothing, or nonsense, do not keep anybody from being served. */
static void test_stuck_clients(void **state)
{
    struct daemon_under_test *d = *state;
    struct sockaddr_un address;
    struct buf payload = BUF_INIT;
    char garbage[512];
    int fds[60], dir_fd;

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(control_address(d->socket, &address, &dir_fd, NULL), RC_OK);
    memset(garbage, 'x', sizeof garbage);
    for (int i = 0; i < 60; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof address), 0);
        if (i % 3 == 0)
            (void)send(fds[i], garbage, sizeof garbage, MSG_NOSIGNAL);
    }
    ask(d, "status", &payload);
    for (int i = 0; i < 60; i++)
        (void)close(fds[i]);
    buf_fini(&payload);
    stop(d);
}

static void test_usage(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 1");
    start(d, (const char *const[]){"--workers", "0", NULL});
    assert_int_equal(wait_for_end(d), 2);
    start(d, (const char *const[]){"extra", NULL});
    assert_int_equal(wait_for_end(d), 2);
    write_config(d->dir, "workers = none");
    start(d, NULL);
    assert_int_equal(wait_for_end(d), 78);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_and_stop),
        TEST(test_killed_worker_is_settled_and_replaced),
        TEST(test_stopped_worker_is_hung),
        TEST(test_own_stall_kills_nobody),
        TEST(test_mute_worker_is_hung),
        TEST(test_new_keeper_gets_the_orders_again),
        TEST(test_keeper_that_cannot_begin_ends_the_pool),
        TEST(test_early_ends_are_throttled),
        TEST(test_orphans_are_gone_before_the_settlement),
        TEST(test_second_start_is_refused),
        TEST(test_start_over_the_remains_of_a_kill),
        TEST(test_drain),
        TEST(test_deaf_workers_are_killed_as_stopped),
        TEST(test_second_term_means_now),
        TEST(test_more_and_fewer),
        TEST(test_hang_up_is_refused),
        TEST(test_control_socket),
        TEST(test_stuck_clients),
        TEST(test_usage),
    };

    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s STINTD SUPERVISOR-FAKE\n", argv[0]);
        return 2;
    }
    stintd_path = argv[1];
    fake_path = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
