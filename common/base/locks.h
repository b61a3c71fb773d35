/* locks: who holds a lock on a file, by the kernel's list (/proc/locks). Used by the supervisor
 * (which must not allocate: nothing here does) and by stint doctor. Opens nothing but the list:
 * closing a descriptor of the database would drop the locks of a connection in this process. */
#ifndef STINT_BASE_LOCKS_H
#define STINT_BASE_LOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* kind: "POSIX" (fcntl, on this byte of the file) or "FLOCK" (byte 0). 0: nobody, or not known. */
pid_t locks_find(const char *path, const char *kind, int64_t byte);
/* SQLite's write lock in WAL mode: byte 120 of the -shm file (sqlite.org/walformat.html); before
 * that mode: a byte of the database. */
pid_t locks_find_writer(const char *database);
/* The program's name as the kernel has it; "" when it is gone. */
void locks_read_name(pid_t pid, char *out, size_t cap);

#endif
