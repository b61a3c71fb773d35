#include "cli/named.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/words.h"

#define BLANKS " \t\r"

struct checking {
    const struct config_sources *sources;
    const struct config *config;
    struct buf *problems, *warnings;
};

static bool is_section(const char *line, size_t len, const char *section)
{
    size_t n = strlen(section);
    return line[0] == '[' && len > n + 1 && memcmp(line + 1, section, n) == 0 && line[n + 1] == ']';
}

static bool is_key(const char *line, size_t len, const char *key)
{
    size_t n = strlen(key);
    if (len <= n || memcmp(line, key, n) != 0)
        return false;
    return line[n + strspn(line + n, BLANKS)] == '=';
}

/* The line of this key in this section of a text that was parsed before; 0: not there. */
static size_t find_line(const char *text, const char *section, const char *key)
{
    bool is_inside = false;
    for (size_t number = 1; *text; number++) {
        size_t len = strcspn(text, "\n"), blanks = strspn(text, BLANKS);
        const char *line = text + blanks;
        if (blanks < len && *line == '[')
            is_inside = is_section(line, len - blanks, section);
        else if (blanks < len && is_inside && is_key(line, len - blanks, key))
            return number;
        text += len + (text[len] == '\n');
    }
    return 0;
}

static bool add_place(
    const struct checking *c, struct buf *out, const char *section, const char *key)
{
    for (size_t i = 0; i < c->sources->len; i++) {
        size_t line = find_line(c->sources->list[i].text, section, key);
        if (line == 0)
            continue;
        buf_addf(out, "%s:%zu: [%s] ", c->sources->list[i].name, line, section);
        return true;
    }
    return false;
}

/* A job's only stage may have its handler in the job's section. */
static void add_stage_place(
    const struct checking *c, const struct job_spec *job, const struct stage_spec *stage)
{
    char *own CLEANUP_FREE = xasprintf("stage %s.%s", job->name, stage->name);
    char *shared CLEANUP_FREE = xasprintf("job %s", job->name);
    if (!add_place(c, c->problems, own, "handler") && !add_place(c, c->problems, shared, "handler"))
        buf_addf(c->problems, "[%s] ", own);
}

static void add_job_place(const struct checking *c, struct buf *out, const struct job_spec *job)
{
    char *section CLEANUP_FREE = xasprintf("job %s", job->name);
    if (!add_place(c, out, section, "discover"))
        buf_addf(out, "[%s] ", section);
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
    else if (st.st_mode & S_IWOTH)
        buf_addf(out, "%s may be written by everybody: chmod o-w %s", path, path);
    return out->len > 0;
}

static void check_handler(
    const struct checking *c, const struct job_spec *job, const struct stage_spec *stage)
{
    struct buf fault CLEANUP(buf_fini) = BUF_INIT;
    if (stage->handler.kind != HANDLER_EXEC ||
        !add_program_fault(c->config, stage->handler.argv[0], &fault))
        return;
    add_stage_place(c, job, stage);
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
    add_job_place(c, c->problems, job);
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
        add_job_place(c, c->problems, job);
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
        add_job_place(c, c->warnings, job);
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

void named_check(const struct config_sources *sources, const struct config *config,
    struct buf *problems, struct buf *warnings)
{
    const struct checking c = {sources, config, problems, warnings};
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        check_discover(&c, job);
        for (size_t k = 0; k < job->stages_len; k++)
            check_handler(&c, job, &job->stages[k]);
    }
}
