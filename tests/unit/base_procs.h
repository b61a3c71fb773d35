/* base_procs: real processes for the tests of spawn and proctree: start, await, reap, kill. Waits
 * on SIGCHLD with a limit, never by time. */
#ifndef STINT_TESTS_BASE_PROCS_H
#define STINT_TESTS_BASE_PROCS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/proctree.h"
#include "common/base/spawn.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
/* argv and environ hold char *, string literals are const: nobody writes to them. */
#define STRINGS(...) ((char *const *)(uintptr_t)(const char *const[]){__VA_ARGS__, NULL})
#define NO_ENV STRINGS("PATH=/usr/bin:/bin")

/* Blocks SIGCHLD and becomes a subreaper; first in main. */
bool procs_set_up(void);
pid_t start(char *const *argv, char *const *envp, const struct spawn_fd *fds, size_t n);
struct proctree_end wait_for(pid_t pid);
int exit_of(pid_t pid);
/* Until none is left; forgets all ends that nobody awaited. */
void kill_strangers_but(const pid_t *spare, size_t spare_len);
long read_number(int fd); /* one line */

#endif
