#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "tests/unit/base_procs.h"

#define LIMIT_S 30

pid_t start(char *const *argv, char *const *envp, const struct spawn_fd *fds, size_t n)
{
    struct spawn_opts opts = {
        .path = argv[0], .argv = argv, .envp = envp, .fds = fds, .fds_len = n, .umask = -1};
    pid_t pid = -1;
    struct err err = {""};
    enum rc rc = spawn(&opts, &pid, NULL, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, RC_OK);
    return pid;
}

/* Ends that were reaped while another was awaited. */
static struct proctree_end ends[256];
static size_t ends_len;

static void reap_all(void)
{
    while (ends_len < COUNT_OF(ends) && proctree_reap(&ends[ends_len]) == RC_ROW)
        ends_len++;
}

static void wait_for_a_child(pid_t pid)
{
    sigset_t chld;
    struct timespec limit = {.tv_sec = LIMIT_S};
    (void)sigemptyset(&chld);
    (void)sigaddset(&chld, SIGCHLD); /* blocked in main */
    if (sigtimedwait(&chld, NULL, &limit) < 0 && errno == EAGAIN)
        fail_msg("process %d did not end", (int)pid);
}

struct proctree_end wait_for(pid_t pid)
{
    for (;; wait_for_a_child(pid)) {
        reap_all();
        for (size_t i = 0; i < ends_len; i++) {
            struct proctree_end end = ends[i];
            if (end.pid != pid)
                continue;
            ends[i] = ends[--ends_len];
            return end;
        }
    }
}

int exit_of(pid_t pid)
{
    struct proctree_end end = wait_for(pid);
    assert_true(WIFEXITED(end.status));
    return WEXITSTATUS(end.status);
}

/* One that is killed becomes our child, so each end of one that counted wakes us. */
void kill_strangers_but(const pid_t *spare, size_t spare_len)
{
    while (proctree_kill_strangers(spare, spare_len) > 0) {
        size_t before = ends_len;
        reap_all();
        if (ends_len == before)
            wait_for_a_child(0);
    }
    reap_all();
    ends_len = 0;
}

long read_number(int fd)
{
    char text[32];
    size_t n = 0;
    while (n < sizeof(text) - 1 && read(fd, text + n, 1) == 1 && text[n] != '\n')
        n++;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

bool procs_set_up(void)
{
    sigset_t chld;
    (void)sigemptyset(&chld);
    (void)sigaddset(&chld, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &chld, NULL);
    return proctree_become_subreaper(NULL) == RC_OK;
}
