/* cleanup: scope-bound ownership for locals (gcc/clang cleanup attribute).
 * A CLEANUP local starts at NULL or -1; TAKE_PTR / TAKE_FD hand it over. */
#ifndef STINT_BASE_CLEANUP_H
#define STINT_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)

static inline void cleanup_free(void *pp)
{
    free(*(void **)pp);
}

static inline void cleanup_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define TAKE_PTR(p)                                                                                \
    __extension__({                                                                                \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}
#define TAKE_FD(fd) take_fd(&(fd))

#endif
