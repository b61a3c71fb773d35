#include "common/config/places.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/options.h"
#include "common/config/source.h"
#include "common/config/users.h"

/* A socket's whole path may have 107 bytes. A longer one is reached through its open directory, as
 * /proc/self/fd/NUMBER/NAME: that leaves so many for the name. */
#define SOCKET_NAME_MAX 80

struct checking {
    const struct config *config;
    struct buf *problems, *warnings;
};

/* Where systemd makes the directories of a service (StateDirectory= and the like) as it starts. */
static bool may_come(const char *directory)
{
    static const char *const roots[] = {"/var/lib/", "/var/log/", "/run/"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (strncmp(directory, roots[i], strlen(roots[i])) == 0)
            return true;
    return false;
}

static void add_place(const struct config *config, const char *key, struct buf *out)
{
    char variable[64];
    const struct origin *at = origin_find(&config->pool.origins, key);
    if (at && strcmp(at->file, CONFIG_ENVIRONMENT) == 0) {
        option_variable(key, variable, sizeof(variable));
        buf_addf(out, "%s: ", variable);
    } else if (at) {
        buf_addf(out, "%s:%zu: [pool] %s: ", at->file, at->line, key);
    } else {
        buf_addf(out, "[pool] %s: ", key);
    }
}

static void add_missing(const struct checking *c, const char *key, const char *directory)
{
    bool is_warning = c->warnings && may_come(directory);
    struct buf *out = is_warning ? c->warnings : c->problems;
    add_place(c->config, key, out);
    buf_addf(out, "%sthere is no directory %s; ", is_warning ? "warning: " : "", directory);
    if (is_warning)
        buf_adds(out, "the pool starts only when whatever starts it as a service makes it\n");
    else
        buf_addf(out, "type: mkdir -p -m 700 %s\n", directory);
}

/* What cannot be looked at is for whoever starts the pool to find out. */
static void check_file(const struct checking *c, const char *key, const char *path)
{
    struct stat st;
    CLEANUP_FREE char *directory = sys_dirname(path);
    int errnum = stat(directory, &st) == 0 ? 0 : errno;
    if (errnum == 0 && !S_ISDIR(st.st_mode))
        errnum = ENOTDIR;
    if (errnum == ENOENT || errnum == ENOTDIR) {
        add_missing(c, key, directory);
    } else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        add_place(c->config, key, c->problems);
        buf_addf(c->problems, "%s is a directory; expected the path of a file in it\n", path);
    }
}

static void check_socket(const struct checking *c)
{
    const char *path = c->config->pool.socket, *slash = strrchr(path, '/');
    size_t len = strlen(slash ? slash + 1 : path);
    if (len <= SOCKET_NAME_MAX)
        return;
    add_place(c->config, "socket", c->problems);
    buf_addf(c->problems, "the name of the socket has %zu bytes; expected at most %d\n", len,
        SOCKET_NAME_MAX);
}

void places_check(const struct config *config, struct buf *problems, struct buf *warnings)
{
    const struct pool_options *pool = &config->pool;
    const struct checking c = {config, problems, warnings};
    check_file(&c, "database", pool->database);
    /* Beside the database by default, and then no news. */
    if (origin_find(&pool->origins, "socket"))
        check_file(&c, "socket", pool->socket);
    check_socket(&c);
    if (origin_find(&pool->origins, "pid_file"))
        check_file(&c, "pid_file", pool->pid_file);
    if (pool->log == LOG_TARGET_FILE)
        check_file(&c, "log", pool->log_file);
    users_check(config, problems);
}

static bool is_by_environment(const struct config *config, const char *key)
{
    const struct origin *origin = origin_find(&config->pool.origins, key);
    return origin && strcmp(origin->file, CONFIG_ENVIRONMENT) == 0;
}

bool places_by_environment(const struct config *config)
{
    return is_by_environment(config, "database") || is_by_environment(config, "socket");
}
