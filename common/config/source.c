#include "common/config/source.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/base/text.h"
#include "common/config/options.h"

#define LOCAL_PATH "./stint.conf"
#define SYSTEM_PATH "/etc/stint/stint.conf"
#define SOURCE_MAX_BYTES ((size_t)4 << 20)

static void add_source(struct config_sources *to, char *name, char *text)
{
    to->list = xrealloc(to->list, (to->len + 1) * sizeof(*to->list));
    to->list[to->len++] = (struct config_source){.name = name, .text = text};
}

void config_sources_fini(struct config_sources *sources)
{
    for (size_t i = 0; i < sources->len; i++) {
        free(sources->list[i].name);
        free(sources->list[i].text);
    }
    free(sources->list);
    free(sources->directory);
    *sources = (struct config_sources){.directory = NULL};
}

const char *config_default_path(void)
{
    return access(LOCAL_PATH, F_OK) == 0 ? LOCAL_PATH : SYSTEM_PATH;
}

static enum rc missing(const char *path, struct err *err)
{
    if (strcmp(path, SYSTEM_PATH) == 0)
        return err_set(err, RC_NOTFOUND,
            "there is neither %s nor %s; type: stint init DIR   or name one: stint -c FILE",
            LOCAL_PATH, SYSTEM_PATH);
    return err_set(err, RC_NOTFOUND, "there is no %s; a new one is made by: stint init DIR", path);
}

/* Looks at the open file, so that what was checked is what is read. */
static enum rc check_file(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot look at %s", path);
    }
    if (S_ISDIR(st.st_mode))
        return err_set(err, RC_INVALID, "%s is a directory; type: stint -c %s%sstint.conf", path,
            path, path[strlen(path) - 1] == '/' ? "" : "/");
    if (!S_ISREG(st.st_mode))
        return err_set(err, RC_INVALID, "%s is no regular file", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, RC_INVALID,
            "%s can be written by others, who could run programs by it; type: chmod go-w %s", path,
            path);
    return RC_OK;
}

/* name: as people should see it. */
static enum rc read_source(
    struct config_sources *to, const char *path, const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int errnum = errno;
        if (errnum == ENOENT || errnum == ENOTDIR)
            return missing(path, err);
        return err_sys(err, errnum, "cannot open %s", path);
    }
    enum rc rc = check_file(fd, path, err);
    if (rc != RC_OK)
        return rc;
    rc = sys_read_fd(fd, SOURCE_MAX_BYTES, &text, err);
    if (rc != RC_OK)
        return err_prefix(err, rc, "%s", path);
    if (strlen(buf_str(&text)) != text.len)
        return err_set(err, RC_INVALID, "%s holds a NUL byte; it is no configuration", path);
    add_source(to, xstrdup(name), buf_take(&text));
    return RC_OK;
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort: that asks the locale */
}

static enum rc read_jobs_d(struct config_sources *to, struct err *err)
{
    CLEANUP_FREE char *dir = sys_path_join(to->directory, "jobs.d");
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_conf, by_bytes);
    if (n < 0) {
        int errnum = errno;
        return errnum == ENOENT ? RC_OK : err_sys(err, errnum, "cannot read %s", dir);
    }
    enum rc rc = RC_OK;
    for (int i = 0; i < n; i++) {
        if (rc == RC_OK) {
            CLEANUP_FREE char *path = sys_path_join(dir, names[i]->d_name);
            CLEANUP_FREE char *name = xasprintf("jobs.d/%s", names[i]->d_name);
            rc = read_source(to, path, name, err);
        }
        free(names[i]);
    }
    free(names);
    return rc;
}

/* A variable that looks like an override and is none: as a wrong key it is found by the parser,
 * which names the nearest. STINT_POOL_ID is stint's own. */
static void add_strange_overrides(struct buf *text)
{
    static const char prefix[] = "STINT_POOL_";
    for (char **e = environ; *e; e++) {
        CLEANUP_FREE char *key = NULL;
        if (strncmp(*e, prefix, sizeof(prefix) - 1) != 0)
            continue;
        key = xstrndup(*e + sizeof(prefix) - 1, strcspn(*e, "=") - (sizeof(prefix) - 1));
        for (char *p = key; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        if (strcmp(key, "id") != 0 && text_is_name(key) && !option_find(SECTION_POOL, key))
            buf_addf(text, "%s%s = 1\n", text->len ? "" : "[pool]\n", key);
    }
}

/* Asks for each key of [pool]. */
static enum rc read_environment(struct config_sources *to, struct err *err)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    for (size_t i = 0; i < options_len; i++) {
        if (options[i].section != SECTION_POOL)
            continue;
        CLEANUP_FREE char *variable = xasprintf("STINT_POOL_%s", options[i].name);
        for (char *p = variable; *p; p++)
            *p = (char)toupper((unsigned char)*p);
        const char *value = sys_getenv(variable);
        if (!value || !*value)
            continue;
        if (strpbrk(value, "\r\n"))
            return err_set(
                err, RC_INVALID, "%s: has a line break; expected %s", variable, options[i].form);
        buf_addf(&text, "%s%s = %s\n", text.len ? "" : "[pool]\n", options[i].name, value);
    }
    add_strange_overrides(&text);
    if (text.len > 0)
        add_source(to, xstrdup(CONFIG_ENVIRONMENT), buf_take(&text));
    return RC_OK;
}

static enum rc read_all(const char *path, struct config_sources *to, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    const char *slash = strrchr(path, '/');
    to->directory = realpath(dir, NULL);
    if (!to->directory)
        return missing(path, err);
    enum rc rc = read_source(to, path, slash ? slash + 1 : path, err);
    if (rc == RC_OK)
        rc = read_jobs_d(to, err);
    return rc == RC_OK ? read_environment(to, err) : rc;
}

enum rc config_sources_read(const char *path, struct config_sources *ret, struct err *err)
{
    struct config_sources sources = {.directory = NULL};
    enum rc rc = read_all(path, &sources, err);
    if (rc == RC_OK)
        *ret = sources;
    else
        config_sources_fini(&sources);
    return rc;
}
