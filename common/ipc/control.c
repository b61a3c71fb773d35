#include "common/ipc/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/ipc/control_name.h"

#define ANSWER_MAX_BYTES (16u << 20)

enum rc control_address(const char *path, struct sockaddr_un *ret, int *ret_dir_fd, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *dir = NULL;
    int fd = -1, n;

    memset(ret, 0, sizeof *ret);
    ret->sun_family = AF_UNIX;
    if (path[0] == '@' && strlen(path) < sizeof ret->sun_path) {
        memcpy(ret->sun_path + 1, path + 1, strlen(path) - 1);
        *ret_dir_fd = -1;
        return RC_OK;
    }
    if (strlen(path) < sizeof ret->sun_path) {
        memcpy(ret->sun_path, path, strlen(path) + 1);
        *ret_dir_fd = -1;
        return RC_OK;
    }
    dir = sys_dirname(path);
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot open %s", dir);
    n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", fd,
        slash == NULL ? path : slash + 1);
    if (n < 0 || (size_t)n >= sizeof ret->sun_path) {
        (void)close(fd);
        return err_set(err, RC_LIMIT, "the name of the control socket is too long: %s", path);
    }
    *ret_dir_fd = fd;
    return RC_OK;
}

/* RC_OK: ready; RC_AGAIN: the deadline passed. */
static enum rc wait_for(int fd, short events, int64_t deadline_mono_ns)
{
    for (;;) {
        struct pollfd pfd = {.fd = fd, .events = events};
        int64_t left_ns = deadline_mono_ns - clock_mono_ns();
        int n;

        if (left_ns <= 0)
            return RC_AGAIN;
        n = poll(&pfd, 1, (int)(left_ns / NS_PER_MS) + 1);
        if (n > 0)
            return RC_OK;
        if (n < 0 && errno != EINTR)
            return RC_SYS;
    }
}

static enum rc connect_to(const char *path, int64_t deadline_mono_ns, int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = -1;
    CLEANUP_FD int dir_fd = -1;
    struct sockaddr_un address;
    enum rc rc = control_address(path, &address, &dir_fd, err);

    if (rc != RC_OK)
        return rc == RC_SYS ? RC_NOTFOUND : rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    /* A full backlog answers EAGAIN and has no descriptor to wait on: a refusal by crowd. */
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int e = errno;

        if (e == EINTR)
            continue;
        if (e == EINPROGRESS && wait_for(fd, POLLOUT, deadline_mono_ns) == RC_OK)
            break;
        (void)err_sys(err, e, "no answer on %s", path);
        if (e == EAGAIN || e == EINPROGRESS)
            return RC_BUSY;
        return e == EACCES || e == EPERM ? RC_INVALID : RC_NOTFOUND;
    }
    *ret_fd = TAKE_FD(fd);
    return RC_OK;
}

/* A file's owner let it be made where it lies; an abstract name can be taken by anybody. */
static bool is_believed(int fd, const char *path)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    uid_t uid;

    return path[0] != '@' ||
           (control_name_uid(path, &uid) &&
               getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == uid);
}

static enum rc send_request(int fd, const char *request, int64_t deadline_mono_ns)
{
    char line[CONTROL_LINE_MAX + 1];
    size_t len, done = 0;

    len = (size_t)snprintf(line, sizeof line, "%s\n", request);
    while (done < len) {
        ssize_t n = send(fd, line + done, len - done, MSG_NOSIGNAL);

        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN) {
            if (wait_for(fd, POLLOUT, deadline_mono_ns) != RC_OK)
                return RC_AGAIN;
        } else if (n < 0 && errno != EINTR)
            return RC_SYS;
    }
    return RC_OK;
}

static enum rc read_answer(int fd, int64_t deadline_mono_ns, struct buf *answer)
{
    for (;;) {
        enum rc rc = sys_read_avail(fd, ANSWER_MAX_BYTES, answer);

        if (rc == RC_DONE)
            return RC_OK;
        if (rc != RC_AGAIN)
            return rc;
        rc = wait_for(fd, POLLIN, deadline_mono_ns);
        if (rc != RC_OK)
            return rc;
    }
}

/* "ok\nPAYLOAD" or "error TEXT\n". */
static enum rc take_answer(
    const char *path, const struct buf *answer, struct buf *payload, struct err *err)
{
    const char *text = buf_str(answer);

    if (strncmp(text, "ok\n", 3) == 0) {
        if (payload != NULL)
            buf_add(payload, text + 3, answer->len - 3);
        return RC_OK;
    }
    if (strncmp(text, "error ", 6) == 0)
        return err_set(err, RC_INVALID, "%.*s", (int)strcspn(text + 6, "\n"), text + 6);
    if (answer->len == 0)
        return err_set(err, RC_NOTFOUND, "%s was closed without an answer", path);
    return err_set(err, RC_PROTO, "what answers on %s is not a stint pool", path);
}

enum rc control_ask(
    const char *path, const char *request, int64_t timeout_ms, struct buf *payload, struct err *err)
{
    CLEANUP_FD int fd = -1;
    CLEANUP(buf_fini) struct buf answer = BUF_INIT;
    int64_t deadline_mono_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
    enum rc rc, sent;

    if (strlen(request) >= CONTROL_LINE_MAX || strchr(request, '\n') != NULL)
        return err_set(err, RC_BUG, "control request too long: %.40s", request);
    rc = connect_to(path, deadline_mono_ns, &fd, err);
    if (rc != RC_OK)
        return rc;
    if (!is_believed(fd, path))
        return err_set(err, RC_NOTFOUND, "%s answers as another user than its name says", path);
    /* A server that refuses may answer and close before it has read the request: read anyway. */
    sent = send_request(fd, request, deadline_mono_ns);
    rc = sent == RC_AGAIN ? sent : read_answer(fd, deadline_mono_ns, &answer);
    if (rc == RC_AGAIN)
        return err_set(err, RC_BUSY, "no answer on %s within %lld ms", path, (long long)timeout_ms);
    if (rc != RC_OK && answer.len == 0)
        return err_set(err, RC_NOTFOUND, "the connection to %s broke off", path);
    return take_answer(path, &answer, payload, err);
}
