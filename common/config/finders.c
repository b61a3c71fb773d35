#include "common/config/finders.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/programs.h"
#include "common/config/words.h"

#define NAMES_LOOKED_AT 1000

struct checking {
    const struct config *config;
    struct buf *problems, *warnings;
};

static void add_job_place(struct buf *out, const struct job_spec *job)
{
    CLEANUP_FREE char *section = xasprintf("job %s", job->name);
    place_add(out, &job->origins, "discover", section);
}

static void check_list(const struct checking *c, const struct job_spec *job)
{
    struct stat st;
    CLEANUP_FREE char *path = program_path(c->config, job->discover_arg);
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
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    char **words = NULL;
    size_t len;
    if (words_split(job->discover_arg, &words, &len, NULL))
        return; /* the parser has refused that before */
    if (program_add_fault(c->config, words[0], &fault)) {
        add_job_place(c->problems, job);
        buf_addf(c->problems, "its program %s\n", buf_str(&fault));
    }
    words_free(words);
}

/* False only where that is sure: nothing in the directory, or so much that we do not look. */
static bool may_match(const char *directory, const char *pattern)
{
    DIR *dir = opendir(directory);
    struct dirent *entry = NULL;
    bool is_match = false;
    int n = 0;
    if (!dir)
        return errno != ENOENT && errno != ENOTDIR;
    while (!is_match && n++ < NAMES_LOOKED_AT && (entry = readdir(dir)))
        is_match = fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0;
    (void)closedir(dir);
    return is_match || entry;
}

/* A glob over a large tree would take its time: only the part before the first wildcard is looked
 * for, and its names where one part of the path has them all. */
static void check_glob(const struct checking *c, const struct job_spec *job)
{
    if (job->discover_arg[0] == '~')
        return;
    CLEANUP_FREE char *pattern = program_path(c->config, job->discover_arg);
    CLEANUP_FREE char *fixed = xstrndup(pattern, strcspn(pattern, "*?[{\\"));
    CLEANUP_FREE char *directory = sys_dirname(fixed);
    const char *names = pattern + strlen(directory) + (strcmp(directory, "/") != 0);
    struct stat st;
    bool is_plain = !strpbrk(names, "/{\\");
    if (is_plain ? may_match(directory, names) : stat(directory, &st) == 0)
        return;
    add_job_place(c->warnings, job);
    buf_addf(c->warnings, "warning: no file matches %s\n", pattern);
}

void finders_check(const struct config *config, struct buf *problems, struct buf *warnings)
{
    const struct checking c = {config, problems, warnings};
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        switch (job->discover) {
        case DISCOVER_MANUAL:
            break;
        case DISCOVER_LIST:
            check_list(&c, job);
            break;
        case DISCOVER_GLOB:
            if (warnings)
                check_glob(&c, job);
            break;
        case DISCOVER_EXEC:
            check_lister(&c, job);
            break;
        }
    }
}
