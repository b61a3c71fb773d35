/* log_target: a file that is opened anew, followed by another process; syslog's form and socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/log_target.h"
#include "common/base/sys.h"

struct place {
    char dir[64], file[96], old[96], socket[96];
    int stderr_fd; /* the real one: the tests put others in its place */
};

static int make_place(void **state)
{
    struct place *p = xcalloc(1, sizeof *p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/stint-log-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    (void)snprintf(p->file, sizeof p->file, "%s/log", p->dir);
    (void)snprintf(p->old, sizeof p->old, "%s/log.1", p->dir);
    (void)snprintf(p->socket, sizeof p->socket, "%s/socket", p->dir);
    p->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    (void)dup2(p->stderr_fd, STDERR_FILENO);
    (void)close(p->stderr_fd);
    (void)log_target_open(LOG_TARGET_STDERR, NULL, NULL);
    (void)unlink(p->file);
    (void)unlink(p->old);
    (void)unlink(p->socket);
    (void)rmdir(p->dir);
    free(p);
    return 0;
}

static void expect_text(const char *path, const char *wanted, bool is_there)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    assert_int_equal(sys_read_file(path, 1 << 20, &text, NULL), RC_OK);
    assert_int_equal(strstr(buf_str(&text), wanted) != NULL, is_there);
}

/* Descriptor 2 becomes a file; returns what was written there by READ. */
static void capture_stderr(const struct place *p)
{
    int fd = open(p->old, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)dup2(fd, STDERR_FILENO);
    (void)close(fd);
}

static void files_are_opened_anew(void **state)
{
    struct place *p = *state;
    struct stat st;
    log_setup("tester", -1, LOG_LEVEL_INFO);
    (void)umask(077);
    assert_int_equal(log_target_open(LOG_TARGET_FILE, p->file, NULL), RC_OK);
    int fd = log_target_child_fd();
    assert_true(fd > 2);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(stat(p->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    log_msg(LOG_LEVEL_INFO, "a.first", "x");
    assert_int_equal(rename(p->file, p->old), 0);
    log_msg(LOG_LEVEL_INFO, "a.second", "x");
    assert_int_equal(log_target_reopen(NULL), RC_OK);
    log_msg(LOG_LEVEL_INFO, "a.third", "x");
    assert_int_equal(log_target_child_fd(), fd);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    expect_text(p->old, "event=a.first", true);
    expect_text(p->old, "event=a.second", true);
    expect_text(p->old, "event=a.third", false);
    expect_text(p->file, "event=a.third", true);
    expect_text(p->file, "ts=20", true);
    (void)close(fd);
}

static void followers_open_it_when_the_word_changes(void **state)
{
    struct place *p = *state;
    _Atomic uint32_t word = 7;
    capture_stderr(p); /* stands for the descriptor that the parent gave */
    log_target_follow(LOG_TARGET_FILE, p->file, &word);
    assert_int_equal(access(p->file, F_OK), -1);
    log_msg(LOG_LEVEL_INFO, "b.first", "x");
    expect_text(p->file, "event=b.first", true);
    assert_int_equal(unlink(p->file), 0);
    log_target_look();
    assert_int_equal(access(p->file, F_OK), -1); /* nothing changed */
    atomic_fetch_add(&word, 1);
    log_target_look();
    assert_int_equal(access(p->file, F_OK), 0);
    /* What a crash would print goes there, too. */
    assert_int_equal(write(STDERR_FILENO, "crash\n", 6), 6);
    expect_text(p->file, "crash", true);
}

static void a_file_that_cannot_be_opened_keeps_the_old_one(void **state)
{
    struct place *p = *state;
    struct err err = {""};
    assert_int_equal(log_target_open(LOG_TARGET_FILE, p->file, NULL), RC_OK);
    int fd = log_target_child_fd();
    assert_int_equal(rename(p->file, p->old), 0);
    assert_int_equal(mkdir(p->file, 0700), 0);
    assert_int_equal(log_target_reopen(&err), RC_SYS);
    assert_non_null(strstr(err.text, p->file));
    log_msg(LOG_LEVEL_INFO, "c.still", "x");
    expect_text(p->old, "event=c.still", true);
    assert_int_equal(rmdir(p->file), 0);
    (void)close(fd);
}

static void odd_files_are_refused(void **state)
{
    struct place *p = *state;
    struct err err = {""};
    char missing[128];
    (void)snprintf(missing, sizeof missing, "%s/not/there", p->dir);
    assert_int_equal(log_target_open(LOG_TARGET_FILE, missing, &err), RC_SYS);
    assert_non_null(strstr(err.text, "directory"));
    assert_int_equal(symlink("/dev/null", p->file), 0);
    assert_int_equal(log_target_open(LOG_TARGET_FILE, p->file, &err), RC_SYS);
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(unlink(p->file), 0);
    assert_int_equal(mkfifo(p->file, 0600), 0);
    assert_int_equal(log_target_open(LOG_TARGET_FILE, p->file, &err), RC_SYS);
    assert_true(log_target_is_stderr());
}

static void the_journal_gets_levels_and_no_time(void **state)
{
    struct place *p = *state;
    char stream[64];
    struct stat st;
    capture_stderr(p);
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    assert_int_equal(log_target_open(LOG_TARGET_STDERR, NULL, NULL), RC_OK);
    log_msg(LOG_LEVEL_WARN, "d.marked", "x");
    (void)setenv("JOURNAL_STREAM", "1:1", 1); /* redirected: not the journal's */
    assert_int_equal(log_target_open(LOG_TARGET_STDERR, NULL, NULL), RC_OK);
    log_msg(LOG_LEVEL_WARN, "d.plain", "x");
    (void)unsetenv("JOURNAL_STREAM");
    expect_text(p->old, "<4>level=warn proc=tester", true);
    expect_text(p->old, "Z level=warn proc=tester", true);
}

static void syslog_heads_name_level_and_time(void **state)
{
    char out[64];
    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    assert_int_equal(log_syslog_head(LOG_LEVEL_WARN, 1762311845, 12, out, sizeof out), 31);
    assert_string_equal(out, "<28>Nov  5 03:04:05 stint[12]: ");
    (void)log_syslog_head(LOG_LEVEL_ERROR, 0, 1, out, sizeof out);
    assert_string_equal(out, "<27>Jan  1 00:00:00 stint[1]: ");
    (void)log_syslog_head(LOG_LEVEL_INFO, 0, 1, out, sizeof out);
    assert_memory_equal(out, "<30>", 4);
    (void)log_syslog_head(LOG_LEVEL_DEBUG, 0, 1, out, sizeof out);
    assert_memory_equal(out, "<31>", 4);
    assert_int_equal(log_syslog_head(LOG_LEVEL_INFO, 0, 1, out, 8), 7);
}

static int listen_at(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static bool receives(int fd, const char *wanted)
{
    char text[4096];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return text[0] == '<' && strstr(text, wanted) != NULL && text[n - 1] != '\n';
}

static void syslog_may_come_go_and_be_full(void **state)
{
    struct place *p = *state;
    capture_stderr(p);
    /* Nobody there: descriptor 2. */
    assert_int_equal(log_target_open(LOG_TARGET_SYSLOG, p->socket, NULL), RC_OK);
    assert_int_equal(log_target_child_fd(), STDERR_FILENO);
    log_msg(LOG_LEVEL_INFO, "e.nobody", "x");
    expect_text(p->old, "event=e.nobody", true);
    int fd = listen_at(p->socket);
    log_msg(LOG_LEVEL_INFO, "e.one", "x");
    assert_true(receives(fd, "event=e.one"));
    /* Started anew. */
    (void)close(fd);
    (void)unlink(p->socket);
    fd = listen_at(p->socket);
    log_msg(LOG_LEVEL_INFO, "e.two", "x");
    assert_true(receives(fd, "event=e.two"));
    /* It reads nothing any more: nobody is held up, nothing is lost. */
    for (int i = 0; i < 2000; i++)
        log_msg(LOG_LEVEL_INFO, "e.many", "%d", i);
    expect_text(p->old, "msg=1999", true);
    expect_text(p->old, "event=e.two", false);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_opened_anew, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            followers_open_it_when_the_word_changes, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            a_file_that_cannot_be_opened_keeps_the_old_one, make_place, remove_place),
        cmocka_unit_test_setup_teardown(odd_files_are_refused, make_place, remove_place),
        cmocka_unit_test_setup_teardown(
            the_journal_gets_levels_and_no_time, make_place, remove_place),
        cmocka_unit_test(syslog_heads_name_level_and_time),
        cmocka_unit_test_setup_teardown(syslog_may_come_go_and_be_full, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
