#include "cli/interrupt.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void add_signal(sigset_t *set, int signum)
{
    struct sigaction action;
    if (sigaction(signum, NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        (void)sigaddset(set, signum);
}

enum rc interrupt_take(struct interrupt *i, struct err *err)
{
    sigset_t set;
    i->fd = -1;
    (void)sigemptyset(&set);
    add_signal(&set, SIGINT);
    add_signal(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, &i->before);
    i->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (i->fd >= 0)
        return RC_OK;
    int why = errno;
    (void)sigprocmask(SIG_SETMASK, &i->before, NULL);
    return err_sys(err, why, "cannot read signals");
}

void interrupt_give_back(struct interrupt *i)
{
    if (!i || i->fd < 0)
        return;
    (void)close(i->fd);
    i->fd = -1;
    (void)sigprocmask(SIG_SETMASK, &i->before, NULL);
}

int interrupt_came(const struct interrupt *i)
{
    struct signalfd_siginfo info;
    if (i->fd < 0 || read(i->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return 0;
    return (int)info.ssi_signo;
}

_Noreturn void interrupt_end(struct interrupt *i, int signum)
{
    interrupt_give_back(i);
    (void)raise(signum);
    _exit(128 + signum); /* somebody took it off */
}
