#include "supervisor/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "supervisor/lost.h"
#include "supervisor/review.h"

#define LOOK_AT_FILE_MS 1000
#define BACKLOG 64

void control_init(struct control *control, struct pool *pool)
{
    control->pool = pool;
    control->path = NULL;
    control->fd = -1;
    control->watch = NULL;
    control->name = NULL;
    control->name_fd = -1;
    control->name_watch = NULL;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        control->clients[i].control = control;
        control->clients[i].fd = -1;
    }
}

static void drop(struct client *client)
{
    watch_end(client->watch);
    if (client->fd >= 0)
        (void)close(client->fd);
    client->watch = NULL;
    client->fd = -1;
}

/* True: sent whole, or the client is gone. */
static bool send_reply(struct client *client)
{
    struct reply *reply = &client->reply;

    for (;;) {
        ssize_t n;

        if (reply->sent == reply->len) {
            reply->sent = reply->len = 0;
            if (reply->next != NULL)
                reply->next(client->control->pool, reply);
            if (reply->len == 0)
                return true;
        }
        n = send(client->fd, reply->text + reply->sent, reply->len - reply->sent,
            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            reply->sent += (size_t)n;
        else if (n < 0 && errno != EINTR)
            return errno != EAGAIN;
    }
}

static void answer(struct client *client)
{
    client->is_answering = true;
    if (client->reply.awaits != 0)
        return; /* until control_resume */
    if (send_reply(client))
        drop(client);
    else
        watch_set_wants(client->watch, WATCH_WRITE);
}

static void take_line(struct client *client, size_t len)
{
    client->line[len] = '\0';
    if (memchr(client->line, '\0', len) != NULL)
        reply_error(&client->reply, "a request is one line of text");
    else
        reply_begin(client->control->pool, client->line, &client->reply);
    answer(client);
}

static void read_request(struct client *client)
{
    size_t room = sizeof client->line - client->line_len;
    ssize_t n = recv(client->fd, client->line + client->line_len, room, MSG_DONTWAIT);
    const char *end;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(client);
        return;
    }
    if (n < 0)
        return;
    client->line_len += (size_t)n;
    end = memchr(client->line, '\n', client->line_len);
    if (end != NULL) {
        take_line(client, (size_t)(end - client->line));
    } else if (client->line_len == sizeof client->line) {
        reply_error(&client->reply, "the request is too long");
        answer(client);
    }
}

/* It waits and has nothing more to say: who does is not listened to, who is gone is found out when
 * the answer is sent. */
static void stop_listening(struct client *client)
{
    watch_set_wants(client->watch, 0);
}

static void resume(void *arg)
{
    struct control *control = arg;

    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];

        if (client->fd < 0 || !client->is_answering || client->reply.awaits == 0 ||
            !reload_is_over(&control->pool->reload, client->reply.awaits))
            continue;
        reply_resume(control->pool, &client->reply);
        client->since_mono_ns = clock_mono_ns();
        answer(client);
    }
}

static void handle_client(void *arg, int is_readable, int is_writable)
{
    struct client *client = arg;

    (void)is_readable;
    (void)is_writable;
    if (!client->is_answering)
        read_request(client);
    else if (client->reply.awaits != 0)
        stop_listening(client);
    else if (send_reply(client))
        drop(client);
    pool_review(client->control->pool);
}

/* A free place; else the oldest client loses its: who asks at once is served at once, however many
 * connect and say nothing. */
static struct client *find_place(struct control *control)
{
    struct client *oldest = &control->clients[0];

    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];

        if (client->fd < 0)
            return client;
        if (client->since_mono_ns < oldest->since_mono_ns)
            oldest = client;
    }
    drop(oldest);
    return oldest;
}

static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void accept_client(struct control *control, int fd)
{
    struct client *client = find_place(control);

    client->fd = fd;
    client->since_mono_ns = clock_mono_ns();
    client->line_len = 0;
    client->is_answering = false;
    client->watch = loop_watch(control->pool->loop, fd, WATCH_READ, handle_client, client);
    if (client->watch == NULL) {
        drop(client);
        return;
    }
    if (is_allowed(fd)) {
        read_request(client);
        return;
    }
    reply_error(&client->reply, "only the pool's own user and root may ask");
    answer(client);
}

static void accept_clients(struct control *control, int listener)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            break;
        accept_client(control, fd);
    }
    pool_review(control->pool);
}

static void handle_listener(void *arg, int is_readable, int is_writable)
{
    struct control *control = arg;

    (void)is_readable;
    (void)is_writable;
    accept_clients(control, control->fd);
}

static void handle_name(void *arg, int is_readable, int is_writable)
{
    struct control *control = arg;

    (void)is_readable;
    (void)is_writable;
    accept_clients(control, control->name_fd);
}

static enum rc remove_stale(const char *path, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT ? RC_OK : err_sys(err, errno, "cannot look at %s", path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, RC_INVALID, "%s is in the way of the control socket: remove it", path);
    return unlink(path) == 0 ? RC_OK : err_sys(err, errno, "cannot remove the old %s", path);
}

/* Bound under umask 077, so that the socket is nobody else's from its first moment. */
static enum rc bind_to(int fd, const char *path, struct err *err)
{
    CLEANUP_FD int dir_fd = -1;
    struct sockaddr_un address;
    enum rc rc = control_address(path, &address, &dir_fd, err);
    mode_t before;
    int n, e;

    if (rc != RC_OK)
        return rc;
    before = umask(0177);
    n = bind(fd, (struct sockaddr *)&address, sizeof address);
    e = errno;
    (void)umask(before);
    if (n == 0 && listen(fd, BACKLOG) == 0)
        return RC_OK;
    e = n != 0 ? e : errno;
    (void)err_sys(err, e, "cannot listen on %s", path);
    return e == EADDRINUSE ? RC_BUSY : RC_SYS;
}

enum rc control_open(struct control *control, const char *path, struct err *err)
{
    CLEANUP_FD int fd = -1;
    enum rc rc = remove_stale(path, err);
    struct stat st;

    if (rc != RC_OK)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    rc = bind_to(fd, path, err);
    if (rc != RC_OK)
        return rc;
    if (lstat(path, &st) != 0)
        return err_sys(err, errno, "cannot look at %s", path);
    control->fd = TAKE_FD(fd);
    if (path != control->path)
        control->path = xstrdup(path);
    control->device = st.st_dev;
    control->inode = st.st_ino;
    return RC_OK;
}

enum rc control_open_name(struct control *control, char *name, struct err *err)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum rc rc;

    control->name = name;
    if (fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    rc = bind_to(fd, name, err);
    if (rc == RC_OK)
        control->name_fd = TAKE_FD(fd);
    return rc;
}

static void watch_file(struct control *control)
{
    control->watch =
        loop_watch(control->pool->loop, control->fd, WATCH_READ, handle_listener, control);
}

static void watch_name(struct control *control)
{
    if (control->name_fd >= 0)
        control->name_watch =
            loop_watch(control->pool->loop, control->name_fd, WATCH_READ, handle_name, control);
}

void control_serve(struct control *control)
{
    watch_file(control);
    watch_name(control);
    control->pool->reload.on_over = resume;
    control->pool->reload.on_over_arg = control;
}

static bool is_file_ours(const struct control *control)
{
    struct stat st;

    return lstat(control->path, &st) == 0 && st.st_dev == control->device &&
           st.st_ino == control->inode;
}

/* Whoever removes the socket under a living pool must not cut it off from its operator. */
static void keep_file(struct control *control)
{
    int old_fd = control->fd;
    struct err err;

    /* In another directory at its place it may be another pool's. */
    if (is_file_ours(control) || !lost_look(control->pool))
        return;
    if (control_open(control, control->path, &err) != RC_OK)
        return; /* its directory is gone or read-only: looked at again */
    watch_end(control->watch);
    (void)close(old_fd);
    watch_file(control);
    log_msg(LOG_LEVEL_WARN, "control.reopened", "%s was removed; it is there again", control->path);
}

/* It was another's when we started; with the supervisor it ends. */
static void keep_name(struct control *control)
{
    if (control->name == NULL || control->name_fd >= 0)
        return;
    if (control_open_name(control, control->name, NULL) == RC_OK)
        watch_name(control);
}

static void keep_addresses(struct control *control, int64_t now_mono_ns)
{
    if (now_mono_ns - control->looked_mono_ns < LOOK_AT_FILE_MS * NS_PER_MS)
        return;
    control->looked_mono_ns = now_mono_ns;
    keep_file(control);
    keep_name(control);
}

static int64_t patience_ms(const struct client *client)
{
    return client->is_answering && client->reply.awaits != 0 ? WAITING_CLIENT_MS : CLIENT_MS;
}

void control_expire(struct control *control)
{
    int64_t now = clock_mono_ns();

    keep_addresses(control, now);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];

        if (client->fd >= 0 && now - client->since_mono_ns >= patience_ms(client) * NS_PER_MS)
            drop(client);
    }
}

void control_close(struct control *control)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        drop(&control->clients[i]);
    watch_end(control->watch);
    control->watch = NULL;
    watch_end(control->name_watch);
    control->name_watch = NULL;
    if (control->name_fd >= 0)
        (void)close(control->name_fd);
    control->name_fd = -1;
    free(control->name);
    control->name = NULL;
    if (control->fd < 0)
        return;
    (void)close(control->fd);
    control->fd = -1;
    if (is_file_ours(control))
        (void)unlink(control->path);
    free(control->path);
    control->path = NULL;
}
