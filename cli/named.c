#include "cli/named.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/words.h"

struct checking {
    const struct config *config;
    struct buf *problems, *warnings;
};

/* "FILE:LINE: [SECTION] " of a key that is given; the section alone if it is not. */
static void add_place(
    struct buf *out, const struct origins *origins, const char *key, const char *section)
{
    const struct origin *origin = origin_find(origins, key);
    if (origin)
        buf_addf(out, "%s:%zu: ", origin->file, origin->line);
    buf_addf(out, "[%s] ", section);
}

/* A job's only stage has its handler in the job's section. */
static void add_stage_place(
    struct buf *out, const struct job_spec *job, const struct stage_spec *stage)
{
    char *section CLEANUP_FREE = job->has_own_stage
                                     ? xasprintf("job %s", job->name)
                                     : xasprintf("stage %s.%s", job->name, stage->name);
    add_place(out, &stage->origins, "handler", section);
}

static void add_job_place(struct buf *out, const struct job_spec *job)
{
    char *section CLEANUP_FREE = xasprintf("job %s", job->name);
    add_place(out, &job->origins, "discover", section);
}

/* As people would type it: without "/./" inside. */
static char *path_of(const struct config *config, const char *name)
{
    while (strncmp(name, "./", 2) == 0 && name[2])
        name += 2;
    return sys_path_join(config->directory, name);
}

/* Where a program lies: named with a slash, relative to the configuration's directory; else in
 * PATH. NULL: not there. Caller frees. */
static char *find_program(const struct config *config, const char *name)
{
    struct stat st;
    if (strchr(name, '/')) {
        char *path = path_of(config, name);
        if (stat(path, &st) == 0)
            return path;
        free(path);
        return NULL;
    }
    const char *dirs = sys_getenv("PATH");
    while (dirs && *dirs) {
        size_t len = strcspn(dirs, ":");
        char *path = xasprintf("%.*s/%s", (int)len, dirs, name);
        if (len > 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            return path;
        free(path);
        dirs += len + (dirs[len] == ':');
    }
    return NULL;
}

/* Others who may write a program, or put another one in its place, may run what they like by it. */
static void add_writable(const char *path, const struct stat *st, struct buf *out)
{
    struct stat parent;
    char *directory CLEANUP_FREE = sys_dirname(path);
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        buf_addf(out, "%s may be written by others; type: chmod go-w %s", path, path);
    else if (stat(directory, &parent) == 0 && (parent.st_mode & (S_IWGRP | S_IWOTH)) &&
             !(parent.st_mode & S_ISVTX))
        buf_addf(out, "%s lies in a directory that others may write; type: chmod go-w %s", path,
            directory);
}

/* What is wrong with a program; false: nothing. */
static bool add_program_fault(const struct config *config, const char *name, struct buf *out)
{
    struct stat st;
    char *path CLEANUP_FREE = find_program(config, name);
    if (!path)
        buf_addf(out, "%s does not exist%s", name,
            strchr(name, '/') ? "" : " in PATH; one of your own is written with a slash: ./NAME");
    else if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        buf_addf(out, "%s is no file", path);
    else if (access(path, X_OK) < 0)
        buf_addf(out, "%s is not executable: chmod +x %s", path, path);
    else
        add_writable(path, &st, out);
    return out->len > 0;
}

/* The script of "python3 ./fetch.py"; NULL: argv[0] is the program itself, as far as we know. */
static const char *script_of(char *const *argv)
{
    static const char *const interpreters[] = {
        "sh", "bash", "dash", "zsh", "python", "perl", "ruby", "node", "php", "lua"};
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    if (!argv[1] || argv[1][0] == '-')
        return NULL;
    for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
        size_t len = strlen(interpreters[i]);
        /* python, python3, python3.11 */
        if (strncmp(name, interpreters[i], len) == 0 &&
            !name[len + strspn(name + len, "0123456789.")])
            return argv[1];
    }
    return NULL;
}

static bool add_script_fault(const struct config *config, char *const *argv, struct buf *out)
{
    struct stat st;
    const char *script = script_of(argv);
    if (!script)
        return false;
    char *path CLEANUP_FREE = path_of(config, script);
    if (stat(path, &st) < 0)
        buf_addf(out, "script %s does not exist", path);
    else
        add_writable(path, &st, out);
    return out->len > 0;
}

static void check_handler(
    const struct checking *c, const struct job_spec *job, const struct stage_spec *stage)
{
    struct buf fault CLEANUP(buf_fini) = BUF_INIT;
    char *const *argv = stage->handler.argv;
    if (stage->handler.kind != HANDLER_EXEC || (!add_program_fault(c->config, argv[0], &fault) &&
                                                   !add_script_fault(c->config, argv, &fault)))
        return;
    add_stage_place(c->problems, job, stage);
    buf_addf(c->problems, "its handler %s\n", buf_str(&fault));
}

static void check_list(const struct checking *c, const struct job_spec *job)
{
    struct stat st;
    char *path CLEANUP_FREE = path_of(c->config, job->discover_arg);
    const char *fault = NULL;
    if (stat(path, &st) < 0)
        fault = "does not exist";
    else if (S_ISDIR(st.st_mode))
        fault = "is a directory; files of a directory are found by: discover = glob DIR/*";
    else if (access(path, R_OK) < 0)
        fault = "cannot be read by this user";
    if (!fault)
        return;
    add_job_place(c->problems, job);
    buf_addf(c->problems, "its list %s %s\n", path, fault);
}

static void check_lister(const struct checking *c, const struct job_spec *job)
{
    struct buf fault CLEANUP(buf_fini) = BUF_INIT;
    char **words = NULL;
    size_t len;
    if (words_split(job->discover_arg, &words, &len, NULL))
        return; /* the parser has refused that before */
    if (add_program_fault(c->config, words[0], &fault)) {
        add_job_place(c->problems, job);
        buf_addf(c->problems, "its program %s\n", buf_str(&fault));
    }
    words_free(words);
}

/* Files may come later: only worth a word. */
static void check_glob(const struct checking *c, const struct job_spec *job)
{
    glob_t found = {0};
    char *pattern CLEANUP_FREE = job->discover_arg[0] == '~'
                                     ? xstrdup(job->discover_arg)
                                     : path_of(c->config, job->discover_arg);
    if (glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &found) == GLOB_NOMATCH) {
        add_job_place(c->warnings, job);
        buf_addf(c->warnings, "warning: no file matches %s\n", pattern);
    }
    globfree(&found);
}

static void check_discover(const struct checking *c, const struct job_spec *job)
{
    switch (job->discover) {
    case DISCOVER_MANUAL:
        return;
    case DISCOVER_LIST:
        check_list(c, job);
        return;
    case DISCOVER_GLOB:
        check_glob(c, job);
        return;
    case DISCOVER_EXEC:
        check_lister(c, job);
        return;
    }
}

void named_check(const struct config *config, struct buf *problems, struct buf *warnings)
{
    const struct checking c = {config, problems, warnings};
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        check_discover(&c, job);
        for (size_t k = 0; k < job->stages_len; k++)
            check_handler(&c, job, &job->stages[k]);
    }
}
