/* proctree with real processes: ends, lost grandchildren, whole trees, marked left-overs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "tests/unit/base_procs.h"

static void the_end_of_a_child_is_told_whole(void **state)
{
    (void)state;
    char *const *argv = STRINGS("sh", "-c", "exit 75");
    struct proctree_end end = wait_for(start(argv, NO_ENV, NULL, 0));
    assert_true(WIFEXITED(end.status));
    assert_int_equal(WEXITSTATUS(end.status), 75);
    assert_true(end.usage.ru_maxrss > 0);
    char *const *killed = STRINGS("sh", "-c", "kill -TERM $$");
    end = wait_for(start(killed, NO_ENV, NULL, 0));
    assert_true(WIFSIGNALED(end.status));
    assert_int_equal(WTERMSIG(end.status), SIGTERM);
}

static void lost_grandchildren_are_found(void **state)
{
    (void)state;
    int in[2], out[2];
    assert_int_equal(sys_pipe(in, false, NULL), RC_OK);
    assert_int_equal(sys_pipe(out, false, NULL), RC_OK);
    const struct spawn_fd fds[] = {{in[0], 0}, {out[1], 1}};
    /* Twice forked into sessions of its own, nothing in its environment, deaf to all but KILL. */
    char *const *argv = STRINGS("setsid", "-f", "setsid", "-f", "env", "-i", "/bin/sh", "-c",
        "trap '' TERM HUP INT; echo $$; read x; read y");
    pid_t pid = start(argv, NO_ENV, fds, 2);
    pid_t lost = (pid_t)read_number(out[0]);
    assert_true(lost > 0);
    assert_int_not_equal(lost, pid);
    (void)wait_for(pid);
    const int64_t until = clock_mono_ns() + 60 * NS_PER_S;
    while (sys_proc_parent(lost) != getpid()) { /* who forked it last may not have ended yet */
        assert_true(clock_mono_ns() < until);
        (void)sched_yield();
    }
    /* Spared, it lives. */
    pid_t spare[] = {lost};
    assert_true(sys_proc_state(lost) != 0);
    kill_strangers_but(spare, 1);
    assert_true(sys_proc_state(lost) != 0 && sys_proc_state(lost) != 'Z');
    kill_strangers_but(NULL, 0);
    assert_int_equal(sys_proc_state(lost), 0);
    for (int i = 0; i < 2; i++) {
        (void)close(in[i]);
        (void)close(out[i]);
    }
}

static void the_whole_tree_of_a_stranger_is_killed(void **state)
{
    (void)state;
    int in[2], out[2];
    assert_int_equal(sys_pipe(in, false, NULL), RC_OK);
    assert_int_equal(sys_pipe(out, false, NULL), RC_OK);
    const struct spawn_fd fds[] = {{in[0], 0}, {out[1], 1}};
    char *const *argv =
        STRINGS("bash", "-c", "cat <&0 & bash -c 'cat <&0 & cat <&0 & echo 3; wait' <&0 & wait");
    pid_t stranger = start(argv, NO_ENV, fds, 2);
    pid_t other = start(argv, NO_ENV, fds, 2);
    assert_int_equal(read_number(out[0]), 3);
    assert_int_equal(read_number(out[0]), 3);
    pid_t spare[] = {other};
    assert_int_equal(proctree_kill_strangers(spare, 1), 5); /* two shells, three cats, at once */
    assert_int_equal(wait_for(stranger).status, SIGKILL);
    kill_strangers_but(spare, 1);
    /* The spared one still has its tree: its pipe stays open, and it ends by end of file. */
    assert_int_not_equal(sys_proc_state(other), 0);
    (void)close(in[1]);
    assert_int_equal(exit_of(other), 0);
    kill_strangers_but(NULL, 0);
    (void)close(in[0]);
    (void)close(out[0]);
    (void)close(out[1]);
}

static void marked_processes_are_killed(void **state)
{
    (void)state;
    int in[2];
    assert_int_equal(sys_pipe(in, false, NULL), RC_OK);
    const struct spawn_fd fds[] = {{in[0], 0}};
    char *const *argv = STRINGS("cat");
    char *const *one = STRINGS("PATH=/bin", "STINT_TEST_MARK=abc-1");
    char *const *two = STRINGS("PATH=/bin", "STINT_TEST_MARK=abd-1");
    char *const *three = STRINGS("PATH=/bin", "STINT_TEST_MARKED=abc-1", "X=STINT_TEST_MARK=abc-1");
    pid_t a = start(argv, one, fds, 1), b = start(argv, two, fds, 1),
          c = start(argv, three, fds, 1);
    assert_int_equal(proctree_kill_marked("STINT_TEST_MARK", "abc-"), 1);
    assert_int_equal(wait_for(a).status, SIGKILL);
    assert_int_equal(proctree_kill_marked("STINT_TEST_MARK", "abc-"), 0);
    (void)close(in[1]);
    assert_int_equal(exit_of(b), 0);
    assert_int_equal(exit_of(c), 0);
    (void)close(in[0]);
}

int main(void)
{
    if (!procs_set_up())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_child_is_told_whole),
        cmocka_unit_test(lost_grandchildren_are_found),
        cmocka_unit_test(the_whole_tree_of_a_stranger_is_killed),
        cmocka_unit_test(marked_processes_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
