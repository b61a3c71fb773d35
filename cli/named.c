#include "cli/named.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/finders.h"
#include "common/config/places.h"
#include "common/config/programs.h"

struct checking {
    const struct config *config;
    struct buf *problems, *warnings;
};

static void add_job_place(struct buf *out, const struct job_spec *job)
{
    char *section CLEANUP_FREE = xasprintf("job %s", job->name);
    place_add(out, &job->origins, "discover", section);
}

/* Files may come later: only worth a word. Here there is time for the whole pattern. */
static void check_glob(const struct checking *c, const struct job_spec *job)
{
    glob_t found = {0};
    char *pattern CLEANUP_FREE = job->discover_arg[0] == '~'
                                     ? xstrdup(job->discover_arg)
                                     : program_path(c->config, job->discover_arg);
    if (glob(pattern, GLOB_BRACE | GLOB_TILDE, NULL, &found) == GLOB_NOMATCH) {
        add_job_place(c->warnings, job);
        buf_addf(c->warnings, "warning: no file matches %s\n", pattern);
    }
    globfree(&found);
}

static bool is_secret_like(const char *key)
{
    static const char *const words[] = {"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]), whole = strlen(key);
        if (whole >= len && strcmp(key + whole - len, words[i]) == 0)
            return true;
    }
    return false;
}

/* Only worth a word: an operator is not given the service's credentials, and a name may mislead. */
static void check_variable(const struct checking *c, const struct env_var *var)
{
    const struct origin *at = &var->origin;
    if (var->is_unknown)
        buf_addf(c->warnings,
            "%s:%zu: warning: %s: %s cannot be read here, only by the service; not checked\n",
            at->file, at->line, var->key, var->reference);
    else if (!var->reference && is_secret_like(var->key))
        buf_addf(c->warnings,
            "%s:%zu: warning: %s looks like a secret, which anybody sees who may read this file; "
            "put it into a file of its own: %s = @file:PATH\n",
            at->file, at->line, var->key, var->key);
}

/* What the stages of a job share is told once. */
static void check_variables(const struct checking *c, const struct job_spec *job)
{
    for (size_t i = 0; i < job->env.len; i++)
        check_variable(c, &job->env.list[i]);
    for (size_t k = 0; k < job->stages_len; k++) {
        const struct env *env = &job->stages[k].env;
        for (size_t i = 0; i < env->len; i++) {
            const struct origin *at = &env->list[i].origin;
            if (i >= job->env.len || job->env.list[i].origin.line != at->line ||
                job->env.list[i].origin.file != at->file)
                check_variable(c, &env->list[i]);
        }
    }
}

void named_check(const struct config *config, struct buf *problems, struct buf *warnings)
{
    const struct checking c = {config, problems, warnings};
    places_check(config, problems, warnings);
    finders_check(config, problems, NULL);
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        if (job->discover == DISCOVER_GLOB)
            check_glob(&c, job);
        check_variables(&c, job);
        for (size_t k = 0; k < job->stages_len; k++)
            program_check_handler(config, job, &job->stages[k], problems);
    }
}
