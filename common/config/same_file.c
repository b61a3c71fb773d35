#include "common/config/same_file.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"

static bool is_same_place(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool config_is_same_file(const char *a, const char *b)
{
    CLEANUP_FREE char *dir_a = sys_dirname(a), *dir_b = sys_dirname(b);
    if (!is_same_place(dir_a, dir_b))
        return false;
    return strcmp(name_of(a), name_of(b)) == 0 || is_same_place(a, b);
}
