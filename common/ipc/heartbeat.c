#include "common/ipc/heartbeat.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <unistd.h>

static_assert(sizeof(struct heartbeat) < PIPE_BUF, "a beat is written whole or not at all");

const char *worker_state_name(uint32_t state)
{
#define STATE_NAME(upper, lower) [WORKER_##upper] = #lower,
    static const char *const names[] = {WORKER_STATES(STATE_NAME)};
#undef STATE_NAME
    return state < WORKER_STATE_COUNT ? names[state] : "unknown";
}

bool heartbeat_send(int fd, const struct heartbeat *beat)
{
    ssize_t n;

    do
        n = write(fd, beat, sizeof *beat);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *beat;
}

int heartbeat_receive(int fd, struct heartbeat *ret)
{
    struct heartbeat beat;
    ssize_t n;

    do
        n = read(fd, &beat, sizeof beat);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return -1;
    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n != (ssize_t)sizeof beat || beat.magic != HEARTBEAT_MAGIC ||
        beat.state >= WORKER_STATE_COUNT)
        return -2;
    *ret = beat;
    return 1;
}
