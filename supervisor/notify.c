#include "supervisor/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sys.h"
#include "common/base/text.h"

#define STATUS_GAP_MS 1000 /* a backlog changes all the time; people read once a second */
#define PATIENCE_GAP_MS 10000
#define TICK_MAX_MS 250 /* of the supervisor's loop */

/* "/path" or "@abstract"; anything else is not for us. */
static void open_socket(struct notify *n, const char *path)
{
    size_t len = strlen(path);

    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof n->to.sun_path) {
        log_msg(LOG_LEVEL_WARN, "notify.unheard",
            "NOTIFY_SOCKET is neither a path nor an @name of a socket: init is not told anything");
        return;
    }
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, path, len);
    if (path[0] == '@')
        n->to.sun_path[0] = '\0';
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* A watchdog that is meant for another process (our parent's) is none of our business. */
static int64_t read_watchdog_period(void)
{
    const char *usec = sys_getenv("WATCHDOG_USEC"), *pid = sys_getenv("WATCHDOG_PID");
    int64_t period_us, watched;

    if (usec == NULL || text_int(usec, 1, INT64_MAX / 1000, &period_us, NULL) != RC_OK)
        return 0;
    if (pid != NULL &&
        (text_int(pid, 1, INT32_MAX, &watched, NULL) != RC_OK || watched != getpid()))
        return 0;
    return period_us * 1000;
}

void notify_init(struct notify *n, int ready_fd)
{
    const char *path = sys_getenv("NOTIFY_SOCKET");

    memset(n, 0, sizeof *n);
    n->fd = -1;
    n->ready_fd = ready_fd;
    if (path != NULL && *path != '\0')
        open_socket(n, path);
    if (n->fd >= 0)
        n->watchdog_period_ns = read_watchdog_period();
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void notify_fini(struct notify *n)
{
    close_fd(&n->fd);
    close_fd(&n->ready_fd);
}

/* False: not now. A socket that is gone, too, may come back: init may be executing itself anew. */
static bool send_text(const struct notify *n, const char *text)
{
    ssize_t sent;

    do
        sent = sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
            (const struct sockaddr *)&n->to, n->to_len);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

static bool send_kind(const struct notify *n, enum notify_kind kind, int64_t mono_ns)
{
    char text[128] = "STOPPING=1";

    switch (kind) {
    case NOTIFY_READY:
        /* As PID 1 of a namespace our own number would name init itself to init. */
        if (getpid() == 1)
            (void)snprintf(text, sizeof text, "READY=1");
        else
            (void)snprintf(text, sizeof text, "READY=1\nMAINPID=%d", (int)getpid());
        break;
    case NOTIFY_RELOADING:
        (void)snprintf(
            text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, (int64_t)(mono_ns / 1000));
        break;
    case NOTIFY_STOPPING:
        break;
    }
    return send_text(n, text);
}

/* In order: a reload's end must not overtake its beginning. */
static bool flush(struct notify *n)
{
    int sent = 0;

    while (sent < n->queue_len && send_kind(n, n->queue[sent].kind, n->queue[sent].mono_ns))
        sent++;
    n->queue_len -= sent;
    memmove(n->queue, n->queue + sent, (size_t)n->queue_len * sizeof n->queue[0]);
    return n->queue_len == 0;
}

static void tell(struct notify *n, enum notify_kind kind)
{
    if (n->fd < 0)
        return;
    if (n->queue_len == NOTIFY_QUEUE_MAX) { /* nobody reads: the newest matter */
        n->queue_len--;
        memmove(n->queue, n->queue + 1, (size_t)n->queue_len * sizeof n->queue[0]);
    }
    n->queue[n->queue_len].kind = kind;
    n->queue[n->queue_len].mono_ns = clock_mono_ns();
    n->queue_len++;
    (void)flush(n);
}

/* Whoever gave us a descriptor that takes nothing now is not waiting for the line either. */
static void tell_ready_fd(struct notify *n)
{
    struct pollfd p = {.fd = n->ready_fd, .events = POLLOUT};

    if (n->ready_fd < 0)
        return;
    if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0)
        (void)!write(n->ready_fd, "\n", 1);
    close_fd(&n->ready_fd);
}

void notify_ready(struct notify *n)
{
    tell(n, NOTIFY_READY);
    tell_ready_fd(n);
    n->is_ready = true;
}

void notify_reloading(struct notify *n)
{
    if (!n->is_ready || n->is_reloading)
        return;
    n->is_reloading = true;
    tell(n, NOTIFY_RELOADING);
}

void notify_reloaded(struct notify *n)
{
    if (n->is_reloading)
        tell(n, NOTIFY_READY);
    n->is_reloading = false;
}

void notify_stopping(struct notify *n)
{
    tell(n, NOTIFY_STOPPING);
}

/* A line break would begin another variable of the message. */
void notify_status(struct notify *n, const char *text)
{
    (void)snprintf(n->status, sizeof n->status, "%s", text);
    for (char *p = n->status; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    }
}

static void send_status(struct notify *n, int64_t now_mono_ns)
{
    char text[sizeof n->status + sizeof "STATUS="];

    if (strcmp(n->status, n->status_told) == 0)
        return;
    (void)snprintf(text, sizeof text, "STATUS=%s", n->status);
    if (!send_text(n, text))
        return;
    memcpy(n->status_told, n->status, sizeof n->status);
    n->status_mono_ns = now_mono_ns;
}

void notify_failure(struct notify *n, const char *text)
{
    if (n->fd < 0)
        return;
    notify_status(n, text);
    send_status(n, clock_mono_ns());
}

/* Init ends a start that takes longer than its own limit, unless it is asked to wait on. */
void notify_patience(struct notify *n, int64_t now_mono_ns)
{
    bool is_due = n->patience_mono_ns == 0 ||
                  now_mono_ns - n->patience_mono_ns >= PATIENCE_GAP_MS * NS_PER_MS;

    if (n->fd >= 0 && !n->is_ready && is_due && send_text(n, "EXTEND_TIMEOUT_USEC=60000000"))
        n->patience_mono_ns = now_mono_ns;
}

/* At half of the period; a tick early rather than late. */
static void send_sign_of_life(struct notify *n, int64_t now_mono_ns)
{
    int64_t due = n->watchdog_mono_ns + n->watchdog_period_ns / 2 - TICK_MAX_MS * NS_PER_MS;

    if (n->watchdog_period_ns > 0 && n->is_ready && now_mono_ns >= due &&
        send_text(n, "WATCHDOG=1"))
        n->watchdog_mono_ns = now_mono_ns;
}

void notify_tick(struct notify *n, int64_t now_mono_ns)
{
    if (n->fd < 0 || !flush(n))
        return;
    if (now_mono_ns - n->status_mono_ns >= STATUS_GAP_MS * NS_PER_MS || n->status_mono_ns == 0)
        send_status(n, now_mono_ns);
    send_sign_of_life(n, now_mono_ns);
}
