/* spawn with real processes: errors of exec, descriptors, signals, death of the parent. Run with an
 * argument it is the process in the middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "tests/unit/base_procs.h"

static void expect_failure(const char *path, const char *cwd, enum rc rc, int errnum)
{
    char *const *argv = STRINGS("program");
    _Atomic uint32_t word = 7;
    struct spawn_opts opts = {
        .path = path, .argv = argv, .envp = NO_ENV, .cwd = cwd, .umask = -1, .pid_word = &word};
    pid_t pid = -5;
    int got = 0;
    struct err err = {""};
    assert_int_equal(spawn(&opts, &pid, &got, &err), rc);
    assert_int_equal(got, errnum);
    assert_int_equal(pid, -5);
    assert_int_equal(atomic_load(&word), 0);
    assert_non_null(strstr(err.text, path));
    struct proctree_end end;
    assert_int_equal(proctree_reap(&end), RC_DONE); /* nothing is left to reap */
}

static void failures_of_exec_come_back(void **state)
{
    (void)state;
    char script[] = "/tmp/stint-test-XXXXXX";
    int fd = mkstemp(script);
    assert_true(fd >= 0);
    assert_int_equal(sys_write_all(fd, "no format\n", 10), RC_OK);
    (void)close(fd);
    expect_failure("/nonexistent/program", NULL, RC_NOTFOUND, ENOENT);
    expect_failure("stint-no-such-program", NULL, RC_NOTFOUND, ENOENT);
    expect_failure("/dev/null/program", NULL, RC_NOTFOUND, ENOTDIR);
    expect_failure(script, NULL, RC_INVALID, EACCES);
    expect_failure("/tmp", NULL, RC_INVALID, EACCES);
    assert_int_equal(chmod(script, 0700), 0);
    expect_failure(script, NULL, RC_INVALID, ENOEXEC);
    expect_failure("/bin/true", "/nonexistent", RC_SYS, ENOENT);
    (void)unlink(script);
}

static void programs_are_found_in_the_given_path(void **state)
{
    (void)state;
    char *const *argv = STRINGS("true");
    assert_int_equal(exit_of(start(argv, NO_ENV, NULL, 0)), 0);
    char *const *no_path = STRINGS("X=1");
    assert_int_equal(exit_of(start(argv, no_path, NULL, 0)), 0);
    char *const *wrong = STRINGS("PATH=/nonexistent:/dev/null:");
    struct spawn_opts opts = {.path = "true", .argv = argv, .envp = wrong, .umask = -1};
    pid_t pid;
    int errnum;
    assert_int_equal(spawn(&opts, &pid, &errnum, NULL), RC_NOTFOUND);
}

/* "3:name 4:name …" of a process that is known to stand still. */
static void list_fds(pid_t pid, char *out, size_t cap)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    assert_true(n > 0);
    out[0] = '\0';
    for (int i = 0; i < n; i++) {
        size_t len = strlen(out);
        if (names[i]->d_name[0] != '.')
            (void)snprintf(out + len, cap - len, "%.10s ", names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

static void descriptors_are_exactly_the_named_ones(void **state)
{
    (void)state;
    int in[2], a[2], b[2];
    assert_int_equal(sys_pipe(in, false, NULL), RC_OK);
    assert_int_equal(sys_pipe(a, false, NULL), RC_OK);
    assert_int_equal(sys_pipe(b, false, NULL), RC_OK);
    int leak = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
    assert_true(leak >= 0);
    /* b's write end takes the number of a's and the other way round; and one keeps its number. */
    const struct spawn_fd fds[] = {
        {in[0], 0}, {a[1], b[1]}, {b[1], a[1]}, {in[0], in[0]}, {a[1], 60}, {a[1], 1}};
    char script[200];
    (void)snprintf(script, sizeof(script), "echo to-b >&%d; echo to-a >&%d; exec cat", a[1], b[1]);
    /* dash takes only one digit after >&: bash does not mind */
    char *const *argv = STRINGS("bash", "-c", script);
    pid_t pid = start(argv, NO_ENV, fds, 6);
    char line[32] = "", list[200], expected[200];
    assert_int_equal(read(b[0], line, 5), 5);
    assert_memory_equal(line, "to-b\n", 5);
    assert_int_equal(read(a[0], line, 5), 5);
    assert_memory_equal(line, "to-a\n", 5);
    /* When cat answers, the shell and its own descriptors are gone. */
    assert_int_equal(sys_write_all(in[1], "cat\n", 4), RC_OK);
    assert_int_equal(read(a[0], line, 4), 4);
    assert_memory_equal(line, "cat\n", 4);
    (void)close(a[1]);
    (void)close(b[1]);
    list_fds(pid, list, sizeof(list));
    (void)snprintf(expected, sizeof(expected), " %d %d %d 60 ", in[0], a[1], b[1]);
    for (int fd = 0; fd < 256; fd++) {
        char number[8], spaced[210];
        (void)snprintf(number, sizeof(number), " %d ", fd);
        (void)snprintf(spaced, sizeof(spaced), " %s", list);
        bool is_wanted = fd <= 2 || strstr(expected, number) != NULL;
        assert_int_equal(strstr(spaced, number) != NULL, is_wanted);
    }
    (void)close(in[1]);
    assert_int_equal(exit_of(pid), 0);
    (void)close(in[0]);
    (void)close(a[0]);
    (void)close(b[0]);
    (void)close(leak);
}

static void signals_session_and_umask_are_fresh(void **state)
{
    (void)state;
    int out[2];
    assert_int_equal(sys_pipe(out, false, NULL), RC_OK);
    const struct spawn_fd fds[] = {{out[1], 1}};
    char *const *argv = STRINGS("sh", "-c",
        "umask; pwd; grep -E 'Sig(Blk|Ign)|NoNewPrivs' /proc/self/status | tr -d '\\n\\t'; "
        "echo;"
        "echo $$; cut -d' ' -f5,6 /proc/$$/stat; readlink /proc/$$/fd/0");
    _Atomic uint32_t word = 0;
    struct spawn_opts opts = {.path = "sh",
        .argv = argv,
        .envp = NO_ENV,
        .cwd = "/usr",
        .fds = fds,
        .fds_len = 1,
        .is_new_session = true,
        .is_no_new_privs = true,
        .umask = 077,
        .pid_word = &word};
    pid_t pid;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGUSR1, SIG_IGN);
    assert_int_equal(spawn(&opts, &pid, NULL, NULL), RC_OK);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGUSR1, SIG_DFL);
    assert_int_equal(atomic_load(&word), pid);
    (void)close(out[1]);
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    assert_int_equal(sys_read_fd(out[0], 4096, &text, NULL), RC_OK);
    (void)close(out[0]);
    char expected[400];
    (void)snprintf(expected, sizeof(expected),
        "0077\n/usr\nSigBlk:0000000000000000SigIgn:0000000000000000NoNewPrivs:1\n%d\n%d %d\n"
        "/dev/null\n",
        (int)pid, (int)pid, (int)pid);
    assert_int_equal(exit_of(pid), 0);
    assert_string_equal(buf_str(&text), expected);
}

/* The process in the middle: a child that wants to die with it, then nothing until SIGKILL. */
static int middle(void)
{
    char *const *argv = STRINGS("cat");
    const struct spawn_fd fds[] = {{0, 0}};
    struct spawn_opts opts = {.path = "cat",
        .argv = argv,
        .envp = NO_ENV,
        .fds = fds,
        .fds_len = 1,
        .umask = -1,
        .parent_death_signal = SIGKILL};
    pid_t pid;
    if (spawn(&opts, &pid, NULL, NULL) != RC_OK)
        return 1;
    (void)printf("%d\n", (int)pid);
    (void)fflush(stdout);
    (void)pause();
    return 0;
}

static void a_child_dies_with_its_parent(void **state)
{
    (void)state;
    int in[2], out[2];
    assert_int_equal(sys_pipe(in, false, NULL), RC_OK);
    assert_int_equal(sys_pipe(out, false, NULL), RC_OK);
    const struct spawn_fd fds[] = {{in[0], 0}, {out[1], 1}};
    char *const *argv = STRINGS("/proc/self/exe", "middle");
    pid_t pid = start(argv, NO_ENV, fds, 2);
    pid_t grandchild = (pid_t)read_number(out[0]);
    assert_true(grandchild > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(wait_for(pid).status, SIGKILL);
    assert_int_equal(wait_for(grandchild).status, SIGKILL); /* we are its reaper now */
    for (int i = 0; i < 2; i++) {
        (void)close(in[i]);
        (void)close(out[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "middle") == 0)
        return middle();
    if (!procs_set_up())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_exec_come_back),
        cmocka_unit_test(programs_are_found_in_the_given_path),
        cmocka_unit_test(descriptors_are_exactly_the_named_ones),
        cmocka_unit_test(signals_session_and_umask_are_fresh),
        cmocka_unit_test(a_child_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
