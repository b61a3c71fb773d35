#include "cli/pausing.h"

#include <string.h>

#include "cli/gone.h"
#include "cli/notes.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#define NAMES_MAX 256

static const struct stage_spec *find_stage(const struct job_spec *job, const char *name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < job->stages_len && n < NAMES_MAX; i++) {
        if (strcmp(job->stages[i].name, name) == 0)
            return &job->stages[i];
        names[n++] = job->stages[i].name;
    }
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    text_add_printable(&shown, name, strlen(name));
    const char *near = text_nearest(name, names, n);
    if (near)
        (void)cli_fail(CLI_USAGE, "no stage \"%s\" in job %s; did you mean %s.%s?", buf_str(&shown),
            job->name, job->name, near);
    else
        (void)cli_fail(CLI_USAGE, "no stage \"%s\" in job %s; see its stages: stint status %s",
            buf_str(&shown), job->name, job->name);
    return NULL;
}

static bool is_resource(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->resources_len; i++)
        if (strcmp(config->resources[i].name, name) == 0)
            return true;
    return false;
}

/* Names have no dot, so the first one ends the job's. */
static enum cli_exit read_name(struct pausing *p)
{
    size_t len = strcspn(p->name, ".");
    char *job CLEANUP_FREE = xasprintf("%.*s", (int)len, p->name);
    if (!config_job(p->cli->config, job) && is_resource(p->cli->config, p->name))
        return cli_fail(
            CLI_USAGE, "%s is a resource; only jobs and their stages can be paused", p->name);
    p->job = gone_or_job(p->cli, job);
    if (!p->job)
        return CLI_USAGE;
    if (!p->name[len])
        return CLI_OK;
    p->stage = find_stage(p->job, p->name + len + 1);
    return p->stage ? CLI_OK : CLI_USAGE;
}

/* Only to look: what the database does not know yet is not paused. */
static enum cli_exit open_to_look(struct pausing *p)
{
    struct err err = {""};
    enum cli_exit code = cli_open_read(p->cli);
    if (code || !p->cli->store)
        return code;
    enum rc rc = catalog_load(p->cli->store, p->cli->config, &p->cli->catalog, &err);
    return rc && rc != RC_NOTFOUND ? cli_fail_rc(rc, &err) : CLI_OK;
}

static void find_target(struct pausing *p)
{
    const struct catalog_job *job =
        p->cli->catalog ? catalog_job(p->cli->catalog, p->job->name) : NULL;
    p->is_known = job != NULL;
    p->target.job = job;
    for (size_t i = 0; job && p->stage && i < p->job->stages_len; i++)
        if (job->stages[i].spec == p->stage)
            p->target.stage = &job->stages[i];
}

enum cli_exit pausing_open(struct cli *cli, struct pausing *ret)
{
    struct pausing p = {
        .cli = cli, .name = cli->args->words[0], .is_dry_run = args_has(cli->args, "dry-run")};
    enum cli_exit code = read_name(&p);
    if (code)
        return code;
    code = p.is_dry_run ? open_to_look(&p) : cli_open_write(cli);
    if (code)
        return code;
    find_target(&p);
    *ret = p;
    return CLI_OK;
}

void pausing_add_state(struct buf *out, const struct pause_state *state)
{
    notes_add_until(out, state->until_wall_ms, clock_wall_ms());
    buf_adds(out, ": ");
    text_add_printable(out, state->reason, strlen(state->reason));
}

void pausing_json_begin(struct json *j, const char *schema, const struct pausing *p)
{
    json_open_object(j, NULL);
    json_str(j, "schema", schema);
    json_str(j, "job", p->job->name);
    json_str(j, "stage", p->stage ? p->stage->name : NULL);
    json_bool(j, "dry_run", p->is_dry_run);
}
