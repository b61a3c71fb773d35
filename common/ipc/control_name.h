/* control_name: the second address of a pool's control socket, by which the pool of a configuration
 * file is found wherever its database lies: an abstract one ("@…"), made of the pool's user, the
 * file's directory and its name. The kernel gives it up with the supervisor, no file is left, and
 * control_ask believes it only of a process of that user. Pure but for stat and /proc/net/unix;
 * used by stintd and stint. */
#ifndef STINT_IPC_CONTROL_NAME_H
#define STINT_IPC_CONTROL_NAME_H

#include <stdbool.h>
#include <sys/types.h>

#define CONTROL_NAMES_MAX 5

/* Of the pool that this user runs from the file; the file itself may be gone. NULL: its directory
 * cannot be looked at. Caller frees. */
char *control_name(const char *conf, uid_t uid);
/* The user that a name speaks of; false: it is none. */
bool control_name_uid(const char *name, uid_t *ret);

/* The names worth asking, of users whom we believe: ourselves, root, who owns the file, its
 * directory, and `directory` (where the file puts the database; may be NULL). Caller frees each. */
size_t control_names(const char *conf, const char *directory, char *ret[CONTROL_NAMES_MAX]);

/* Somebody's pool of this file that is none of those, as far as its name says; false: none. */
bool control_name_other(const char *conf, uid_t *ret);

#endif
