#include "common/config/parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/ini_reader.h"
#include "common/config/jobs.h"
#include "common/config/problems.h"
#include "common/config/resources.h"
#include "common/config/sections.h"

/* Beside the database, unless they are told apart. */
static void place_pool_files(struct pool_options *pool)
{
    pool->directory = sys_dirname(pool->database);
    if (!pool->socket)
        pool->socket = sys_path_join(pool->directory, "stint.sock");
    if (!pool->pid_file)
        pool->pid_file = sys_path_join(pool->directory, "stint.pid");
}

static void build_pool(const struct section_list *sections, struct pool_options *pool)
{
    static const char *const keys[] = {"heartbeat_timeout", "heartbeat_interval"};
    struct target target = {.pool = pool};
    struct place at[2] = {{.file = "stint.conf", .line = 1}, {.file = "stint.conf", .line = 1}};
    target_set_presets(sections, SECTION_POOL, &target);
    for (size_t i = 0; i < sections->len; i++) {
        const struct section *s = &sections->list[i];
        struct given given;
        if (s->kind != SECTION_POOL)
            continue;
        section_apply(sections, s, &target, &given);
        for (size_t k = 0; k < 2; k++) {
            if (given_has(&given, keys[k]))
                at[k] = given_place(&given, keys[k]);
        }
    }
    place_pool_files(pool);
    if (pool->heartbeat_timeout_ms < 2 * pool->heartbeat_interval_ms)
        problem_add(sections->problems, at[0].line > 1 || at[0].variable ? &at[0] : &at[1],
            "heartbeat_timeout is shorter than twice heartbeat_interval; expected at least %" PRId64
            "ms",
            2 * pool->heartbeat_interval_ms);
}

static struct config *build(const struct config_sources *sources, struct problems *problems)
{
    struct ini_document *documents = xcalloc(sources->len, sizeof(*documents));
    struct config *config = xcalloc(1, sizeof(*config));
    struct section_list sections = {.config = config, .problems = problems};
    config->directory = xstrdup(sources->directory);
    for (size_t i = 0; i < sources->len; i++) {
        const struct config_source *source = &sources->list[i];
        ini_document_read(&documents[i], source->name, source->text, problems);
        sections_add(
            &sections, &documents[i], source->name, strcmp(source->name, CONFIG_ENVIRONMENT) == 0);
    }
    build_pool(&sections, &config->pool);
    resources_build(&sections, config);
    jobs_build(&sections, config);
    sections_fini(&sections);
    for (size_t i = 0; i < sources->len; i++)
        ini_document_fini(&documents[i]);
    free(documents);
    return config;
}

enum rc config_parse(
    const struct config_sources *sources, struct config **ret, struct buf *problems)
{
    struct problems found = {.out = problems};
    struct config *config = build(sources, &found);
    if (found.count == 0) {
        *ret = config;
        return RC_OK;
    }
    problems_end(&found);
    config_free(config);
    return RC_INVALID;
}

/* What was accepted once has no problems; if it has, the first is enough. */
static enum rc parse_accepted(
    const struct config_sources *sources, struct config **ret, struct err *err)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    enum rc rc = config_parse(sources, ret, &problems);
    if (rc == RC_OK)
        return RC_OK;
    const char *text = buf_str(&problems);
    return err_set(err, rc, "%.*s", (int)strcspn(text, "\n"), text);
}

enum rc config_from_block(const char *data, size_t len, struct config **ret, struct err *err)
{
    CLEANUP(config_sources_fini) struct config_sources sources = {.directory = NULL};
    enum rc rc = config_sources_unpack(data, len, &sources, err);
    return rc == RC_OK ? parse_accepted(&sources, ret, err) : rc;
}

enum rc config_from_fd(int fd, struct config **ret, struct err *err)
{
    CLEANUP(config_sources_fini) struct config_sources sources = {.directory = NULL};
    enum rc rc = config_sources_from_fd(fd, &sources, err);
    return rc == RC_OK ? parse_accepted(&sources, ret, err) : rc;
}
