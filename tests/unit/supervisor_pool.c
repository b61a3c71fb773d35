/* stintd as a whole: starting, stopping, signals, the control socket, with stand-ins for the
 * children. */
#include "supervisor_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/sys.h"
#include "common/ipc/control.h"

#define LIMIT_MS 60000

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

/* With a keeper that says yes: the order goes out once, and what differs is in force. */
static void test_hang_up_reloads(void **state)
{
    struct daemon_under_test *d = *state;

    write_config(d->dir, "workers = 1");
    start(d, NULL);
    (void)expect_worker(d, NULL);
    assert_int_equal(kill(d->pid, SIGHUP), 0);
    (void)expect(d, "nothing changed");
    write_config(d->dir, "workers = 2");
    assert_int_equal(kill(d->pid, SIGHUP), 0);
    (void)expect(d, "fake: reload 2 0");
    (void)expect(d, "[pool] workers changed");
    (void)expect_worker(d, NULL);
    write_config(d->dir, "workers = 2 x");
    assert_int_equal(kill(d->pid, SIGHUP), 0);
    (void)expect(d, "reload.refused msg=\"stint.conf:");
    write_config(d->dir, "workers = 2\nheartbeat_timeout = 7s");
    assert_int_equal(kill(d->pid, SIGHUP), 0);
    (void)expect(d, "[pool] heartbeat_timeout cannot change while the pool runs");
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
    ask(d, "reload", &payload);
    assert_non_null(strstr(buf_str(&payload), "\"state\":\"accepted\""));
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_start_and_stop),
        TEST(test_second_start_is_refused),
        TEST(test_start_over_the_remains_of_a_kill),
        TEST(test_drain),
        TEST(test_second_term_means_now),
        TEST(test_more_and_fewer),
        TEST(test_hang_up_reloads),
        TEST(test_control_socket),
        TEST(test_stuck_clients),
        TEST(test_usage),
    };

    return take_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
