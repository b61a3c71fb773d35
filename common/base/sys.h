/* sys: thin wrappers over system calls that every process shares: retry on EINTR, close-on-exec by
 * birth, pidfd, futex, sealed memory. The only place that calls getenv. Never logs. */
#ifndef STINT_BASE_SYS_H
#define STINT_BASE_SYS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/err.h"

const char *sys_getenv(const char *name);

/* Both ends close-on-exec; is_nonblock applies to both. */
MUST_CHECK enum rc sys_pipe(int ret_fds[2], bool is_nonblock, struct err *err);
/* From a child: the reading end, which is ours, does not block; the writing end does. */
MUST_CHECK enum rc sys_pipe_from_child(int ret_fds[2], struct err *err);
MUST_CHECK enum rc sys_seqpacket_pair(int ret_fds[2], struct err *err); /* non-blocking */
MUST_CHECK enum rc sys_set_nonblock(int fd, bool is_on);
MUST_CHECK enum rc sys_set_cloexec(int fd, bool is_on);
/* All bytes, over EINTR and short writes (blocking descriptors). */
MUST_CHECK enum rc sys_write_all(int fd, const void *data, size_t len);
/* The whole file, at most max bytes (RC_LIMIT beyond). Regular files and pipes. */
MUST_CHECK enum rc sys_read_file(const char *path, size_t max, struct buf *ret, struct err *err);
MUST_CHECK enum rc sys_read_fd(int fd, size_t max, struct buf *ret, struct err *err);
/* Everything readable now without blocking; RC_AGAIN: would block, RC_DONE: end of file. Stops at
 * max bytes in buf with RC_LIMIT. */
MUST_CHECK enum rc sys_read_avail(int fd, size_t max, struct buf *b);

/* An anonymous memory file; sealed against change of size (and of content, if is_content_sealed).
 * data may be NULL: size zero bytes. Caller closes. */
MUST_CHECK enum rc sys_memfd(const char *name, const void *data, size_t size,
    bool is_content_sealed, int *ret_fd, struct err *err);

int sys_pidfd_open(pid_t pid);               /* −1 and errno */
int sys_pidfd_signal(int pidfd, int signum); /* −1 and errno */

/* FUTEX_WAIT (shared between processes) while *word == seen, until deadline_mono_ns (absolute,
 * CLOCK_MONOTONIC) at most. Returns on wake, change, signal or time; the caller looks again. */
void sys_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t deadline_mono_ns);
/* Returns how many were woken. */
int sys_futex_wake(_Atomic uint32_t *word, int n);
/* As sys_futex_wait on several words (at most SYS_FUTEX_WORDS_MAX) in one sleep. A kernel without
 * futex_waitv (before Linux 5.16) sleeps on the first word alone. */
#define SYS_FUTEX_WORDS_MAX 128
struct sys_futex {
    _Atomic uint32_t *word;
    uint32_t seen;
};
void sys_futex_wait_any(const struct sys_futex *words, size_t len, int64_t deadline_mono_ns);

/* "DIR" of "DIR/FILE" ("." when there is no slash); caller frees. */
char *sys_dirname(const char *path);
/* dir + "/" + path, or path alone if it is absolute; caller frees. */
char *sys_path_join(const char *dir, const char *path);
/* Where one of our own programs lies: beside the running one, else in STINT_LIBEXECDIR. */
MUST_CHECK enum rc sys_find_program(const char *name, char **ret_path, struct err *err);

/* A standard descriptor that is closed stays an error to use, and no file that is opened later gets
 * its number. */
void sys_occupy_standard(void);

/* The state letter of /proc/PID/stat ('R', 'S', 'D', 'T', 'Z' …); 0 when there is no such pid. */
char sys_proc_state(pid_t pid);
pid_t sys_proc_parent(pid_t pid); /* 0: there is no such pid, or it has none here */
uint64_t sys_random(void);

#endif
