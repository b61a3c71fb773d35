/* cgroup_own: where the control group (cgroup v2) lies that this process is in. Used by the
 * supervisor, at its start, and by stint doctor. Makes and changes no group. */
#ifndef STINT_BASE_CGROUP_OWN_H
#define STINT_BASE_CGROUP_OWN_H

#include <stdbool.h>
#include <stddef.h>

/* Its directory; false: no cgroup v2 here. */
bool cgroup_find_own(char *ret_dir, size_t cap);

#endif
