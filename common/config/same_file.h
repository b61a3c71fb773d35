/* same_file: whether two paths are one configuration, by where they lead to now: "stint.conf" and
 * "/srv/x/./stint.conf", a directory behind a link, a file behind a link in its own directory. Used
 * by stint and stintd to tell whether a pool was started from a file. Reads no file. */
#ifndef STINT_CONFIG_SAME_FILE_H
#define STINT_CONFIG_SAME_FILE_H

#include <stdbool.h>

/* The same directory (what the relative paths inside mean depends on it), and there the same name
 * or the same file. The file itself may be gone. */
bool config_is_same_file(const char *a, const char *b);

#endif
