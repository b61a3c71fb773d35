/* cgroup_own: control groups (cgroup v2): where the one lies that this process is in, and their
 * small files. Used by the supervisor, at its start, by workers and by stint doctor. Makes and
 * removes no group. */
#ifndef STINT_BASE_CGROUP_OWN_H
#define STINT_BASE_CGROUP_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its directory; false: no cgroup v2 here. */
bool cgroup_find_own(char *ret_dir, size_t cap);
/* The same of another process: "self", or its pid. */
bool cgroup_find_of(const char *process, char *ret_dir, size_t cap);

int cgroup_open_file(const char *dir, const char *file, int flags); /* −1 and errno */
bool cgroup_write(const char *dir, const char *file, const char *text);
/* Is word in this file of words ("cpu memory pids")? */
bool cgroup_has_word(const char *dir, const char *file, const char *word);
/* The number behind a name in a file of lines "NAME NUMBER"; 0: not there. */
int64_t cgroup_count(const char *dir, const char *file, const char *name);

/* The workers' part of a pool's group that the supervisor has divided, so that groups beside it can
 * bound memory (supervisor/cgroup.c). */
#define CGROUP_POOL "pool"
bool cgroup_is_pools(const char *dir);

#endif
