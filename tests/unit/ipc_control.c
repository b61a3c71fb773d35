/* control_ask against a tiny server in a thread: good answers, bad ones, none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc/control.h"
#include "common/ipc/control_name.h"

#define LIMIT_MS 20000

struct server {
    char base[32], dir[200], path[240];
    int fd;
    const char *answer; /* NULL: says nothing until the client has gone */
    char request[CONTROL_LINE_MAX + 1];
};

static void *serve_one(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    ssize_t n = read(fd, s->request, sizeof s->request - 1);

    s->request[n > 0 ? n : 0] = '\0';
    if (s->answer != NULL)
        (void)!write(fd, s->answer, strlen(s->answer));
    else
        (void)!read(fd, s->request, 1); /* until the client gives up */
    (void)close(fd);
    return NULL;
}

static void open_server(struct server *s, const char *folder, const char *answer)
{
    struct sockaddr_un address;
    int dir_fd = -1;

    memset(s, 0, sizeof *s);
    (void)snprintf(s->base, sizeof s->base, "/tmp/stint-control-XXXXXX");
    assert_non_null(mkdtemp(s->base));
    (void)snprintf(s->dir, sizeof s->dir, "%s/%s", s->base, folder);
    (void)snprintf(s->path, sizeof s->path, "%s/stint.sock", s->dir);
    assert_int_equal(mkdir(s->dir, 0700), 0);
    s->answer = answer;
    s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(control_address(s->path, &address, &dir_fd, NULL), RC_OK);
    assert_int_equal(dir_fd >= 0, strlen(s->path) >= sizeof address.sun_path);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(s->fd, 4), 0);
    if (dir_fd >= 0)
        (void)close(dir_fd);
}

static void close_server(struct server *s)
{
    (void)close(s->fd);
    (void)unlink(s->path);
    (void)rmdir(s->dir);
    (void)rmdir(s->base);
}

static enum rc ask(struct server *s, int64_t timeout_ms, struct buf *payload, struct err *err)
{
    pthread_t thread;
    enum rc rc;

    assert_int_equal(pthread_create(&thread, NULL, serve_one, s), 0);
    rc = control_ask(s->path, "ping", timeout_ms, payload, err);
    (void)pthread_join(thread, NULL);
    return rc;
}

static void test_payload(void **state)
{
    struct buf payload = BUF_INIT;
    struct server s;

    (void)state;
    open_server(&s, "s", "ok\nline 1\nline 2\n");
    assert_int_equal(ask(&s, LIMIT_MS, &payload, NULL), RC_OK);
    assert_string_equal(buf_str(&payload), "line 1\nline 2\n");
    assert_string_equal(s.request, "ping\n");
    buf_fini(&payload);
    close_server(&s);
}

static void test_error_is_passed_on(void **state)
{
    struct err err = {""};
    struct server s;

    (void)state;
    open_server(&s, "s", "error not today\n");
    assert_int_equal(ask(&s, LIMIT_MS, NULL, &err), RC_INVALID);
    assert_string_equal(err.text, "not today");
    close_server(&s);
}

static void test_garbage_and_silence(void **state)
{
    struct server s;

    (void)state;
    open_server(&s, "s", "HTTP/1.0 400\n");
    assert_int_equal(ask(&s, LIMIT_MS, NULL, NULL), RC_PROTO);
    s.answer = "";
    assert_int_equal(ask(&s, LIMIT_MS, NULL, NULL), RC_NOTFOUND);
    s.answer = NULL;
    assert_int_equal(ask(&s, 30, NULL, NULL), RC_BUSY);
    close_server(&s);
}

static void test_nobody_there(void **state)
{
    struct server s;

    (void)state;
    open_server(&s, "s", "");
    (void)close(s.fd); /* the file stays, as after a kill */
    assert_int_equal(control_ask(s.path, "ping", LIMIT_MS, NULL, NULL), RC_NOTFOUND);
    close_server(&s);
    assert_int_equal(control_ask(s.path, "ping", LIMIT_MS, NULL, NULL), RC_NOTFOUND);
}

/* A name can be taken by anybody: it is believed of the user in it only. */
static void test_name_of_another_user(void **state)
{
    static const struct {
        unsigned more;
        enum rc rc;
    } rows[] = {{0, RC_OK}, {1, RC_NOTFOUND}};
    struct sockaddr_un address;
    struct server s;
    int dir_fd = -1;

    (void)state;
    (void)signal(SIGPIPE, SIG_IGN); /* who is not believed is not listened to */
    for (size_t i = 0; i < 2; i++) {
        char *name = control_name("/tmp/stint.conf", geteuid() + rows[i].more), *half;
        uid_t uid;

        assert_true(control_name_uid(name, &uid));
        assert_int_equal(uid, geteuid() + rows[i].more);
        half = strrchr(name, '-');
        (void)snprintf(half + 1, 17, "%016x", (unsigned)getpid()); /* nobody else's */
        open_server(&s, "s", "ok\n");
        assert_int_equal(control_address(name, &address, &dir_fd, NULL), RC_OK);
        (void)close(s.fd);
        s.fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(s.fd, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(s.fd, 4), 0);
        (void)unlink(s.path);
        (void)snprintf(s.path, sizeof s.path, "%s", name);
        assert_int_equal(ask(&s, LIMIT_MS, NULL, NULL), rows[i].rc);
        close_server(&s);
        free(name);
    }
    assert_false(control_name_uid("@stint-x-1", &(uid_t){0}));
    assert_null(control_name("/nowhere/at/all/stint.conf", 0));
}

/* Longer than sun_path: by way of the directory's descriptor. */
static void test_long_path(void **state)
{
    char deep[121];
    struct server s;

    (void)state;
    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    open_server(&s, deep, "ok\n");
    assert_int_equal(ask(&s, LIMIT_MS, NULL, NULL), RC_OK);
    close_server(&s);
}

static void test_request_is_bounded(void **state)
{
    char request[CONTROL_LINE_MAX + 1];

    (void)state;
    memset(request, 'x', sizeof request);
    request[CONTROL_LINE_MAX] = '\0';
    assert_int_equal(control_ask("/nowhere", request, LIMIT_MS, NULL, NULL), RC_BUG);
    assert_int_equal(control_ask("/nowhere", "two\nlines", LIMIT_MS, NULL, NULL), RC_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload),
        cmocka_unit_test(test_error_is_passed_on),
        cmocka_unit_test(test_garbage_and_silence),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_name_of_another_user),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_request_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
