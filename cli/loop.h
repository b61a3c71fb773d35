/* loop: waiting on a few descriptors until a deadline; the only place where stint sleeps. Used by
 * run, wait, stop, events, discover. Decides nothing. */
#ifndef STINT_CLI_LOOP_H
#define STINT_CLI_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOP_NEVER INT64_MAX

/* True when one of fds (fd −1: passed over) is ready, revents set; false at deadline_mono_ns. */
bool loop_wait(struct pollfd *fds, size_t len, int64_t deadline_mono_ns);
/* The same for one descriptor that becomes readable. */
bool loop_wait_fd(int fd, int64_t deadline_mono_ns);

#endif
