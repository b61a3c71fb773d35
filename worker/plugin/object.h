/* object: the shared object of a plugin: opened and looked at before anything of it is called. Used
 * by main.c only.
 */
#ifndef STINT_PLUGIN_OBJECT_H
#define STINT_PLUGIN_OBJECT_H

#include "common/base/err.h"
#include "include/stint-plugin.h"

/* Refuses what others may write, what is no object, and what was made for another ABI. The object
 * stays open as long as the process lives. */
MUST_CHECK enum rc object_open(const char *path, const struct stint_plugin **ret, struct err *err);

#endif
