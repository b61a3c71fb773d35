/* stintd as a whole: deaths, verdicts, settlements, throttles, with stand-ins for the children. */
#include "supervisor_fixture.h"

#include <signal.h>
#include <stdio.h>

#include "common/base/sys.h"

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

/* A supervisor that stood still for five timeouts and more (the worker counts 20 beats of 50 ms
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed_worker_is_settled_and_replaced),
        TEST(test_stopped_worker_is_hung),
        TEST(test_own_stall_kills_nobody),
        TEST(test_mute_worker_is_hung),
        TEST(test_new_keeper_gets_the_orders_again),
        TEST(test_keeper_that_cannot_begin_ends_the_pool),
        TEST(test_early_ends_are_throttled),
        TEST(test_orphans_are_gone_before_the_settlement),
        TEST(test_deaf_workers_are_killed_as_stopped),
    };

    return take_programs(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
