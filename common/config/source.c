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
#include "common/config/secrets.h"

#define LOCAL_PATH "./stint.conf"
#define SYSTEM_PATH "/etc/stint/stint.conf"
#define VARIABLE_MAX 80
#define SOURCE_MAX_BYTES ((size_t)4 << 20)

static struct config_source *add_source(struct config_sources *to, const char *name, char *text)
{
    to->list = xrealloc(to->list, (to->len + 1) * sizeof(*to->list));
    to->list[to->len] = (struct config_source){.name = xstrdup(name), .text = text};
    return &to->list[to->len++];
}

/* The first thing that is wrong with it is enough. */
static void blame(struct config_source *source, const struct err *err)
{
    if (!source->error)
        source->error = xstrdup(err->text);
}

static void forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void config_sources_fini(struct config_sources *sources)
{
    for (size_t i = 0; i < sources->len; i++) {
        free(sources->list[i].name);
        free(sources->list[i].text);
        free(sources->list[i].error);
    }
    for (size_t i = 0; i < sources->secrets_len; i++) {
        free(sources->secrets[i].reference);
        free(sources->secrets[i].error);
        forget(sources->secrets[i].value);
    }
    free(sources->secrets);
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

static bool is_others_to_write(const struct stat *st)
{
    return st->st_mode & (S_IWGRP | S_IWOTH);
}

/* A directory in which others may put files. They may not take away or rename what is there if it
 * is sticky, like /tmp: good enough for stint.conf itself. */
static void check_directory(struct config_sources *to, const char *path, bool may_be_sticky)
{
    struct stat st;
    struct err err;
    if (stat(path, &st) != 0 || !is_others_to_write(&st))
        return;
    if (may_be_sticky && (st.st_mode & S_ISVTX))
        return;
    (void)err_set(&err, RC_INVALID,
        "the directory %s can be written by others, who could put configuration files there; type: "
        "chmod go-w %s",
        path, path);
    blame(add_source(to, path, xstrdup("")), &err);
}

static enum rc cannot_open(const char *path, const char *name, int errnum, struct err *err)
{
    char target[256];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (errnum != ENOENT && errnum != ENOTDIR)
        return err_sys(err, errnum, "cannot open %s", path);
    if (len < 0)
        return missing(path, err);
    target[len] = '\0';
    return err_set(err, RC_INVALID,
        "%s is a link to %s, which is not there; mend the link or type: rm %s", name, target, path);
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
        return err_set(err, RC_NOTFOUND, "%s is a directory", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, RC_NOTFOUND, "%s is no regular file", path);
    if (is_others_to_write(&st))
        return err_set(err, RC_INVALID,
            "%s can be written by others, who could run programs by it; type: chmod go-w %s", path,
            path);
    return RC_OK;
}

/* So that the rest of the file is looked at all the same. */
static void replace_nuls(struct config_source *source, size_t len)
{
    const char *first = memchr(source->text, '\0', len);
    size_t line = 1;
    struct err err;
    if (!first)
        return;
    for (const char *p = source->text; p < first; p++)
        line += *p == '\n';
    (void)err_set(&err, RC_INVALID, "%s:%zu: there is a NUL byte; a configuration is text",
        source->name, line);
    blame(source, &err);
    for (char *p = source->text; p < source->text + len; p++)
        *p = *p ? *p : '?';
}

/* What is wrong with the file is said when it is parsed; RC_NOTFOUND: there is no such file.
 * name: as people should see it. */
static enum rc read_source(
    struct config_sources *to, const char *path, const char *name, struct err *err)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum rc rc = fd < 0 ? cannot_open(path, name, errno, err) : check_file(fd, path, err);
    if (rc == RC_NOTFOUND)
        return rc;
    struct config_source *source = add_source(to, name, NULL);
    if (rc != RC_OK)
        blame(source, err);
    if (fd >= 0 && (rc == RC_OK || rc == RC_INVALID)) {
        rc = sys_read_fd(fd, SOURCE_MAX_BYTES, &text, err);
        if (rc != RC_OK) {
            (void)err_prefix(err, rc, "%s", path);
            blame(source, err);
            buf_reset(&text); /* half of it would only mislead */
        }
    }
    size_t len = text.len;
    source->is_unread = fd < 0 || rc != RC_OK;
    source->text = buf_take(&text);
    replace_nuls(source, len);
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

static void read_jobs_d(struct config_sources *to)
{
    CLEANUP_FREE char *dir = sys_path_join(to->directory, "jobs.d");
    struct dirent **names = NULL;
    struct err err;
    int n = scandir(dir, &names, is_conf, by_bytes);
    if (n < 0) {
        int errnum = errno;
        if (errnum == ENOENT)
            return;
        (void)err_sys(&err, errnum, "cannot read %s", dir);
        struct config_source *source = add_source(to, "jobs.d", xstrdup(""));
        blame(source, &err);
        source->is_unread = true;
        return;
    }
    check_directory(to, dir, false);
    for (int i = 0; i < n; i++) {
        CLEANUP_FREE char *path = sys_path_join(dir, names[i]->d_name);
        CLEANUP_FREE char *name = xasprintf("jobs.d/%s", names[i]->d_name);
        if (read_source(to, path, name, &err) == RC_NOTFOUND)
            blame(add_source(to, name, xstrdup("")), &err);
        free(names[i]);
    }
    free(names);
}

/* A variable that looks like an override and is none: as a wrong key it is found by the parser,
 * which names the nearest. STINT_POOL_ID is stint's own. */
static void add_strange_overrides(struct buf *text, struct err *err)
{
    static const char prefix[] = "STINT_POOL_";
    for (char **e = environ; *e; e++) {
        CLEANUP_FREE char *key = NULL;
        if (strncmp(*e, prefix, sizeof(prefix) - 1) != 0)
            continue;
        key = xstrndup(*e + sizeof(prefix) - 1, strcspn(*e, "=") - (sizeof(prefix) - 1));
        bool is_in_capitals = true;
        for (char *p = key; *p; p++) {
            is_in_capitals = is_in_capitals && !islower((unsigned char)*p);
            *p = (char)tolower((unsigned char)*p);
        }
        if (strcmp(key, "id") == 0 || !text_is_name(key))
            continue;
        if (!option_find(SECTION_POOL, key))
            buf_addf(text, "%s%s = 1\n", text->len ? "" : "[pool]\n", key);
        else if (!is_in_capitals)
            (void)err_set(err, RC_INVALID, "%.*s: an override of [pool] is written in capitals",
                (int)strcspn(*e, "="), *e);
    }
}

/* Asks for each key of [pool]. */
static void read_environment(struct config_sources *to)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    struct err err = {""};
    for (size_t i = 0; i < options_len; i++) {
        if (options[i].section != SECTION_POOL)
            continue;
        char variable[VARIABLE_MAX];
        option_variable(options[i].name, variable, sizeof(variable));
        const char *value = sys_getenv(variable);
        if (!value || !*value)
            continue;
        if (strpbrk(value, "\r\n"))
            (void)err_set(
                &err, RC_INVALID, "%s: has a line break; expected %s", variable, options[i].form);
        else
            buf_addf(&text, "%s%s = %s\n", text.len ? "" : "[pool]\n", options[i].name, value);
    }
    add_strange_overrides(&text, &err);
    if (text.len == 0 && !*err.text)
        return;
    struct config_source *source = add_source(to, CONFIG_ENVIRONMENT, buf_take(&text));
    if (*err.text)
        blame(source, &err);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum rc use_file_in(const char *path, struct err *err)
{
    return err_set(err, RC_NOTFOUND, "%s is a directory; type: stint -c %s%sstint.conf", path, path,
        path[strlen(path) - 1] == '/' ? "" : "/");
}

static enum rc read_all(const char *path, struct config_sources *to, struct err *err)
{
    CLEANUP_FREE char *dir = sys_dirname(path);
    const char *slash = strrchr(path, '/');
    to->directory = realpath(dir, NULL);
    if (!to->directory)
        return missing(path, err);
    enum rc rc = read_source(to, path, slash ? slash + 1 : path, err);
    if (rc != RC_OK)
        return is_directory(path) ? use_file_in(path, err) : rc;
    check_directory(to, to->directory, true);
    read_jobs_d(to);
    read_environment(to);
    secrets_read(to);
    return RC_OK;
}

enum rc config_sources_read(const char *path, struct config_sources *ret, struct err *err)
{
    struct config_sources sources = {.directory = NULL};
    struct err local;
    enum rc rc = read_all(path, &sources, err ? err : &local);
    if (rc == RC_OK)
        *ret = sources;
    else
        config_sources_fini(&sources);
    return rc;
}
