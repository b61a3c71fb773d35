#include "worker/plugin/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
#define SYMBOL "stint_plugin"

static enum rc check_file(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_sys(err, errno, "cannot look at %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, RC_INVALID, "%s is no file", path);
    if (st.st_mode & OTHERS_WRITE)
        return err_set(err, RC_INVALID,
            "%s may be written by others, who could run what they like here; chmod go-w %s", path,
            path);
    return RC_OK;
}

static enum rc check_plugin(const char *path, const struct stint_plugin *p, struct err *err)
{
    if (!p)
        return err_set(err, RC_INVALID,
            "%s has no symbol " SYMBOL "; it must have: const struct stint_plugin " SYMBOL
            " = {STINT_PLUGIN_HEAD, .run = …}, not static (see stint-plugin.h)",
            path);
    if (p->abi != STINT_PLUGIN_ABI)
        return err_set(err, RC_INVALID,
            "%s is made for ABI %u of plugins, this stint has %u; build it again with its "
            "stint-plugin.h",
            path, p->abi, STINT_PLUGIN_ABI);
    if (p->size < sizeof(*p))
        return err_set(err, RC_INVALID,
            "%s: its struct stint_plugin has %u bytes instead of %zu; begin it with "
            "STINT_PLUGIN_HEAD",
            path, p->size, sizeof(*p));
    if (!p->run)
        return err_set(err, RC_INVALID, "%s: its " SYMBOL " has no .run", path);
    return RC_OK;
}

enum rc object_open(const char *path, const struct stint_plugin **ret, struct err *err)
{
    /* A name without a slash would be looked for among the system's libraries. */
    CLEANUP_FREE char *real = realpath(path, NULL);
    if (!real)
        return err_sys(err, errno, "cannot open %s", path);
    enum rc rc = check_file(real, err);
    if (rc)
        return rc;
    void *object = dlopen(real, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return err_set(err, RC_INVALID, "cannot load %s: %s", path, dlerror());
    const struct stint_plugin *plugin = dlsym(object, SYMBOL);
    rc = check_plugin(path, plugin, err);
    if (rc == RC_OK)
        *ret = plugin;
    return rc;
}
