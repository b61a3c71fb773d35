#include "common/config/parse.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "common/config/apply.h"
#include "common/config/ini_reader.h"
#include "common/config/jobs.h"
#include "common/config/problems.h"
#include "common/config/resources.h"
#include "common/config/templates.h"
#include "common/config/value_text.h"

/* Beside the database, unless they are told apart. */
static void place_pool_files(struct pool_options *pool)
{
    pool->directory = sys_dirname(pool->database);
    if (!pool->socket)
        pool->socket = sys_path_join(pool->directory, "stint.sock");
    if (!pool->pid_file)
        pool->pid_file = sys_path_join(pool->directory, "stint.pid");
}

static void check_heartbeats(
    const struct section_list *sections, const struct given *given, const struct pool_options *pool)
{
    if (pool->heartbeat_timeout_ms >= 2 * pool->heartbeat_interval_ms)
        return;
    const struct option plain = {.type = OPTION_DURATION};
    const int64_t least_ms = 2 * pool->heartbeat_interval_ms;
    CLEANUP(buf_fini) struct buf least = BUF_INIT;
    (void)value_add_text(&plain, NULL, &least_ms, &least);
    struct place at = given_place(
        given, given_has(given, "heartbeat_timeout") ? "heartbeat_timeout" : "heartbeat_interval");
    problem_add(sections->problems, &at,
        "heartbeat_timeout is shorter than twice heartbeat_interval; expected at least %s",
        buf_str(&least));
}

/* The section of the files, then that of the environment. */
static void build_pool(const struct section_list *sections, struct pool_options *pool)
{
    struct target target = {.pool = pool};
    struct given given = {.section = NULL};
    target_set_presets(sections, SECTION_POOL, &target);
    for (size_t i = 0; i < sections->len; i++) {
        if (sections->list[i].kind == SECTION_POOL)
            section_apply(sections, &sections->list[i], &target, &given);
    }
    place_pool_files(pool);
    check_heartbeats(sections, &given, pool);
    origins_record(&pool->origins, &given, SECTION_POOL);
}

static void read_documents(const struct config_sources *sources, struct section_list *sections,
    struct config *config, struct ini_document *documents)
{
    config->files = xcalloc(sources->len + 1, sizeof(*config->files));
    for (size_t i = 0; i < sources->len; i++) {
        const struct config_source *source = &sources->list[i];
        const char *file = config->files[config->files_len++] = xstrdup(source->name);
        if (source->error)
            problem_add_text(sections->problems, source->error);
        sections->is_incomplete |= source->is_unread;
        ini_document_read(&documents[i], file, source->text, sections->problems);
        sections_add(sections, &documents[i], file, strcmp(file, CONFIG_ENVIRONMENT) == 0);
    }
}

/* A section that is there twice is told already; the faults of its keys are, too. */
static void check_twice(const struct section_list *sections)
{
    for (size_t i = 0; i < sections->twice_len; i++) {
        struct config *scratch = xcalloc(1, sizeof(*scratch));
        struct resource_spec resource = {.name = NULL};
        struct job_spec job = {.name = NULL};
        struct stage_spec stage = {.name = NULL};
        const struct target target = {
            .pool = &scratch->pool, .resource = &resource, .job = &job, .stage = &stage};
        struct given given = {.section = NULL};
        section_apply_own(sections, &sections->twice[i], &target, &given);
        job_spec_fini(&job);
        stage_spec_fini(&stage);
        config_free(scratch);
    }
}

static struct config *build(const struct config_sources *sources, struct problems *problems)
{
    struct ini_document *documents = xcalloc(sources->len + 1, sizeof(*documents));
    struct config *config = xcalloc(1, sizeof(*config));
    struct section_list sections = {.config = config, .sources = sources, .problems = problems};
    config->directory = xstrdup(sources->directory);
    read_documents(sources, &sections, config, documents);
    build_pool(&sections, &config->pool);
    resources_build(&sections, config);
    templates_check(&sections);
    jobs_build(&sections, config);
    check_twice(&sections);
    sections_fini(&sections);
    for (size_t i = 0; i < sources->len; i++)
        ini_document_fini(&documents[i]);
    free(documents);
    return config;
}

enum rc config_parse_counted(const struct config_sources *sources, struct config **ret,
    struct buf *problems, size_t *ret_count)
{
    struct problems found = {.out = problems};
    struct config *config = build(sources, &found);
    *ret_count = found.count;
    if (found.count == 0) {
        *ret = config;
        return RC_OK;
    }
    config_free(config);
    return RC_INVALID;
}

void config_add_rest(struct buf *problems, size_t count)
{
    const struct problems found = {.out = problems, .count = count};
    problems_end(&found);
}

enum rc config_parse(
    const struct config_sources *sources, struct config **ret, struct buf *problems)
{
    size_t count;
    enum rc rc = config_parse_counted(sources, ret, problems, &count);
    if (problems)
        config_add_rest(problems, count);
    return rc;
}

char *config_named_socket(const struct config_sources *sources)
{
    struct problems found = {.out = NULL};
    struct config *config = build(sources, &found);
    char *socket = TAKE_PTR(config->pool.socket);
    config_free(config);
    return socket;
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
