#include "supervisor_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/spawn.h"
#include "common/base/sys.h"

#define LIMIT_NS (60 * NS_PER_S)

static const char *stintd_path, *fake_path; /* the program under test and supervisor-fake */

bool take_programs(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s STINTD SUPERVISOR-FAKE\n", argv[0]);
        return false;
    }
    stintd_path = argv[1];
    fake_path = argv[2];
    return true;
}

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

void write_config(const char *dir, const char *options)
{
    char *path = sys_path_join(dir, "stint.conf");
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    (void)fprintf(f, "[pool]\ndatabase = stint.db\n%s\n[job a]\nhandler = builtin noop\n", options);
    (void)fclose(f);
    free(path);
}

int setup(void **state)
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

int teardown(void **state)
{
    static const char *const files[] = {
        "stintd", "stint-keeper", "stint-worker", "stint.conf", "died"};
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

void start(struct daemon_under_test *d, const char *const *args)
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
    const struct spawn_opts opts = {.path = path,
        .argv = (char *const *)(uintptr_t)argv,
        .cwd = d->dir,
        .fds = map,
        .fds_len = 1,
        .parent_death_signal = SIGTERM,
        .umask = -1};
    assert_int_equal(spawn(&opts, &d->pid, NULL, NULL), RC_OK);
    (void)close(fds[1]);
    d->out = fds[0];
    assert_int_equal(sys_set_nonblock(d->out, true), RC_OK);
    free(path);
}

const char *expect(struct daemon_under_test *d, const char *words)
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
pid_t expect_worker(struct daemon_under_test *d, long long *ret_life)
{
    long long life = 0, pid = 0;

    assert_int_equal(sscanf(expect(d, "fake: worker "), "%lld %lld", &life, &pid), 2);
    if (ret_life != NULL)
        *ret_life = life;
    return (pid_t)pid;
}

void expect_settled(struct daemon_under_test *d, long long life, int cause)
{
    char words[64];

    (void)snprintf(words, sizeof words, "fake: settle %lld %d\n", life, cause);
    (void)expect(d, words);
}

int wait_for_end(struct daemon_under_test *d)
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

void stop(struct daemon_under_test *d)
{
    assert_int_equal(kill(d->pid, SIGTERM), 0);
    assert_int_equal(wait_for_end(d), 0);
}
