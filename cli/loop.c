#include "cli/loop.h"

#include <errno.h>
#include <time.h>

#include "common/base/clock.h"

bool loop_wait(struct pollfd *fds, size_t len, int64_t deadline_mono_ns)
{
    for (;;) {
        int64_t left = deadline_mono_ns - clock_mono_ns();
        struct timespec time = {0, 0};
        if (left > 0) {
            time.tv_sec = (time_t)(left / NS_PER_S);
            time.tv_nsec = (long)(left % NS_PER_S);
        }
        int n = ppoll(fds, len, deadline_mono_ns == LOOP_NEVER ? NULL : &time, NULL);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

bool loop_wait_fd(int fd, int64_t deadline_mono_ns)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return loop_wait(&one, 1, deadline_mono_ns);
}
