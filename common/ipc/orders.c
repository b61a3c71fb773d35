#include "common/ipc/orders.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum rc order_send(int fd, const struct order *order)
{
    ssize_t n;

    do
        n = send(fd, order, sizeof *order, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)sizeof *order)
        return RC_OK;
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return RC_AGAIN;
    return n < 0 && (errno == EPIPE || errno == ECONNRESET) ? RC_DONE : RC_SYS;
}

enum rc order_send_within(int fd, const struct order *order, int timeout_ms)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    enum rc rc = order_send(fd, order);
    while (rc == RC_AGAIN && poll(&room, 1, timeout_ms) > 0)
        rc = order_send(fd, order);
    return rc;
}

enum rc order_receive(int fd, struct order *ret)
{
    struct order order;
    ssize_t n;

    do
        n = recv(fd, &order, sizeof order, MSG_DONTWAIT | MSG_TRUNC);
    while (n < 0 && errno == EINTR);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return RC_DONE;
    if (n < 0)
        return errno == EAGAIN ? RC_AGAIN : RC_SYS;
    if (n != (ssize_t)sizeof order || order.magic != ORDER_MAGIC)
        return RC_PROTO;
    order.text[sizeof order.text - 1] = '\0';
    order.death.reason[sizeof order.death.reason - 1] = '\0';
    *ret = order;
    return RC_OK;
}
