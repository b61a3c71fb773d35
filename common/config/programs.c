#include "common/config/programs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/script.h"
#include "common/base/sys.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

char *program_path(const struct config *config, const char *name)
{
    while (strncmp(name, "./", 2) == 0 && name[2])
        name += 2;
    return sys_path_join(config->directory, name);
}

static char *find_in_path(const char *name)
{
    struct stat st;
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

char *program_find(const struct config *config, const char *name)
{
    struct stat st;
    if (!strchr(name, '/'))
        return find_in_path(name);
    CLEANUP_FREE char *path = program_path(config, name);
    return stat(path, &st) == 0 ? TAKE_PTR(path) : NULL;
}

/* python, python3, python3.11 */
static bool is_named(const char *program, const char *interpreter)
{
    size_t len = strlen(interpreter);
    if (strncmp(program, interpreter, len) != 0)
        return false;
    return !program[len + strspn(program + len, "0123456789.")];
}

const char *program_script(char *const *argv)
{
    static const char *const interpreters[] = {
        "sh", "bash", "dash", "zsh", "python", "perl", "ruby", "node", "php", "lua"};
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    if (!argv[1] || argv[1][0] == '-')
        return NULL;
    for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
        if (is_named(name, interpreters[i]))
            return argv[1];
    }
    return NULL;
}

bool program_add_writable(const char *path, bool is_ours, struct buf *out)
{
    struct stat st, parent;
    CLEANUP_FREE char *directory = sys_dirname(path);
    if (stat(path, &st) != 0)
        return false;
    if (st.st_mode & OTHERS_WRITE) {
        buf_addf(out, "%s may be written by others; type: chmod go-w %s", path, path);
        return true;
    }
    /* In a sticky one, like /tmp, others cannot put another file in its place. */
    if (!is_ours || stat(directory, &parent) != 0 || !(parent.st_mode & OTHERS_WRITE) ||
        (parent.st_mode & S_ISVTX))
        return false;
    buf_addf(
        out, "%s lies in a directory that others may write; type: chmod go-w %s", path, directory);
    return true;
}

void place_add(struct buf *out, const struct origins *origins, const char *key, const char *section)
{
    const struct origin *origin = origin_find(origins, key);
    if (origin)
        buf_addf(out, "%s:%zu: ", origin->file, origin->line);
    buf_addf(out, "[%s] ", section);
}

void place_add_handler(struct buf *out, const struct job_spec *job, const struct stage_spec *stage)
{
    CLEANUP_FREE char *section = job->has_own_stage
                                     ? xasprintf("job %s", job->name)
                                     : xasprintf("stage %s.%s", job->name, stage->name);
    place_add(out, &stage->origins, "handler", section);
}

bool program_add_fault(const struct config *config, const char *name, struct buf *out)
{
    struct stat st;
    const bool is_ours = strchr(name, '/') != NULL;
    CLEANUP(buf_fini) struct buf script = BUF_INIT;
    CLEANUP_FREE char *path = program_find(config, name);
    if (!path)
        buf_addf(out, "%s does not exist%s", name,
            is_ours ? "" : " in PATH; one of your own is written with a slash: ./NAME");
    else if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        buf_addf(out, "%s is no file", path);
    else if (access(path, X_OK) < 0)
        buf_addf(out, "%s is not executable: chmod +x %s", path, path);
    else if (is_ours && script_add_fault(path, &script))
        buf_addf(out, "%s cannot be run: %s", path, buf_str(&script));
    else
        (void)program_add_writable(path, is_ours, out);
    return out->len > 0;
}

static bool add_script_fault(const struct config *config, char *const *argv, struct buf *out)
{
    const char *script = program_script(argv);
    if (!script)
        return false;
    CLEANUP_FREE char *path = program_path(config, script);
    if (access(path, F_OK) < 0)
        buf_addf(out, "script %s does not exist", path);
    else
        (void)program_add_writable(path, true, out);
    return out->len > 0;
}

static bool add_plugin_fault(const struct config *config, const char *file, struct buf *out)
{
    CLEANUP_FREE char *path = program_path(config, file);
    if (access(path, R_OK) < 0)
        buf_addf(out, "plugin %s does not exist, or cannot be read", path);
    else
        (void)program_add_writable(path, true, out);
    return out->len > 0;
}

static bool is_program(const struct handler *handler)
{
    return handler->kind == HANDLER_EXEC || handler->kind == HANDLER_RESIDENT;
}

void program_check_handler(const struct config *config, const struct job_spec *job,
    const struct stage_spec *stage, struct buf *out)
{
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    char *const *argv = stage->handler.argv;
    if (stage->handler.kind == HANDLER_PLUGIN && add_plugin_fault(config, argv[1], &fault)) {
        place_add_handler(out, job, stage);
        buf_addf(out, "its handler %s\n", buf_str(&fault));
    }
    if (!is_program(&stage->handler) ||
        (!program_add_fault(config, argv[0], &fault) && !add_script_fault(config, argv, &fault)))
        return;
    place_add_handler(out, job, stage);
    buf_addf(out, "its handler %s\n", buf_str(&fault));
}

void programs_check(const struct config *config, struct buf *out)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        for (size_t k = 0; k < job->stages_len; k++)
            program_check_handler(config, job, &job->stages[k], out);
    }
}

static void check_stage(const struct config *config, const struct job_spec *job,
    const struct stage_spec *stage, struct buf *problems)
{
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    if (!is_program(&stage->handler) && stage->handler.kind != HANDLER_PLUGIN)
        return;
    char *const *argv = stage->handler.argv + (stage->handler.kind == HANDLER_PLUGIN);
    const char *script = program_script(argv);
    CLEANUP_FREE char *path = program_find(config, argv[0]);
    CLEANUP_FREE char *script_path = script ? program_path(config, script) : NULL;
    if ((!path || !program_add_writable(path, strchr(argv[0], '/') != NULL, &fault)) &&
        (!script_path || !program_add_writable(script_path, true, &fault)))
        return;
    place_add_handler(problems, job, stage);
    buf_addf(problems, "its handler %s\n", buf_str(&fault));
}

void programs_check_writable(const struct config *config, struct buf *problems)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *job = &config->jobs[i];
        for (size_t k = 0; k < job->stages_len; k++)
            check_stage(config, job, &job->stages[k], problems);
    }
}
