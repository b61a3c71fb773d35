#include "common/base/crash.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/sys.h"

static const char *points; /* comma list; an entry that ends in * is a prefix */
static const char *tokens; /* directory */
static bool is_read;

static bool matches(const char *name)
{
    for (const char *p = points; *p;) {
        size_t len = strcspn(p, ",");
        bool is_prefix = len > 0 && p[len - 1] == '*';
        size_t head = is_prefix ? len - 1 : len;
        if (strncmp(p, name, head) == 0 && (is_prefix || name[head] == '\0') && len > 0)
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

/* unlink is atomic: of two processes that want the same token, one dies. */
static bool take_token(void)
{
    DIR *dir = opendir(tokens);
    if (!dir)
        return false;
    bool is_taken = false;
    for (struct dirent *e = readdir(dir); e && !is_taken; e = readdir(dir))
        is_taken = e->d_name[0] != '.' && unlinkat(dirfd(dir), e->d_name, 0) == 0;
    (void)closedir(dir);
    return is_taken;
}

void crash_point(const char *name)
{
    if (!is_read) {
        points = sys_getenv("STINT_CRASH_POINT");
        tokens = sys_getenv("STINT_CRASH_TOKENS");
        points = points ? xstrdup(points) : NULL;
        tokens = tokens ? xstrdup(tokens) : NULL;
        is_read = true;
    }
    if (!points || !tokens || !matches(name) || !take_token())
        return;
    (void)kill(getpid(), SIGKILL);
}
