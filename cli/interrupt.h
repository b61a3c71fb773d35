/* interrupt: SIGINT and SIGTERM as something a command looks at between two steps, so that it can
 * say how far it came before it ends by that very signal. Used by add, retry, cancel. A signal that
 * was ignored when the command began stays so. */
#ifndef STINT_CLI_INTERRUPT_H
#define STINT_CLI_INTERRUPT_H

#include <signal.h>

#include "common/base/err.h"

struct interrupt {
    int fd; /* becomes readable; −1: not taken */
    sigset_t before;
};

MUST_CHECK enum rc interrupt_take(struct interrupt *i, struct err *err);
void interrupt_give_back(struct interrupt *i);
/* The signal that came, 0: none. It is asked for only once. */
int interrupt_came(const struct interrupt *i);
/* Ends the process by that signal. */
_Noreturn void interrupt_end(struct interrupt *i, int signum);

#endif
