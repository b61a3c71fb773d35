/* path: finds a member of valid JSON text by a path like "inputs.fetch.0.title", as a piece of that
 * text or as plain text. Used by hosted.c and wire.c. Pure.
 */
#ifndef STINT_PLUGIN_PATH_H
#define STINT_PLUGIN_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The piece of text that path names. False: there is none, or it is null. */
bool path_find(const char *text, const char *path, const char **ret_start, size_t *ret_len);
/* A copy of it as JSON; NULL: there is none. Caller frees. */
char *path_json(const char *text, const char *path);
/* The same; a string without its quotes and escapes. */
char *path_text(const char *text, const char *path);
int64_t path_int(const char *text, const char *path);

#endif
