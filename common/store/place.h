/* place: whether a database may lie where it is: no network file system, not behind a symbolic
 * link, not under two names, not another user's. Called by the driver before it opens; opens
 * nothing that exists (closing a descriptor of the database would drop the locks of a connection in
 * this process). */
#ifndef STINT_STORE_PLACE_H
#define STINT_STORE_PLACE_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/store/store.h"

/* Creates the file (0600) when it is missing, unless read-only; as root, as the owner of the
 * directory, which on_given is told. A copy may lie anywhere. RC_NOTFOUND: missing. */
MUST_CHECK enum rc place_check(const struct store_options *opts, struct err *err);
/* When the owner of the directory is not the owner of the database and its log, the command that
 * root must type to mend it; else NULL. Caller frees. */
char *place_cure(const char *path);
/* When the database has more than one name (hard links), the command that finds them; else NULL.
 * Caller frees. */
char *place_find_names(const char *path);
/* What of the file or its directory this user may not write, and what to type; false: nothing. */
bool place_refuses(const char *path, struct err *err);
/* Its write-ahead log holds commits: whoever made the first of them has seen to it that the log's
 * name is on disk. */
bool place_has_log(const char *path);
/* "NFS" and the like, or NULL when the file system can hold a database. */
const char *place_network_fs(unsigned long magic);

#endif
