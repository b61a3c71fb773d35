#include "cli/gone.h"

#include "common/base/cleanup.h"
#include "common/base/text.h"

/* Runs that would go on if their job came back. */
static int64_t count_open(const struct job_view *job)
{
    return job_undone(job) - job_failed(job) - job->counts[STATUS_CANCELLED];
}

static void say_gone(const struct cli *cli, const struct job_view *job)
{
    char n[32];
    int64_t open = count_open(job);
    struct buf left CLEANUP(buf_fini) = BUF_INIT;
    if (open > 0)
        buf_addf(&left, ", or end its %s open stage run%s: stint cancel 'job:%s'",
            text_count(open, n, sizeof(n)), open == 1 ? "" : "s", job->name);
    (void)cli_fail(CLI_USAGE,
        "job %s is no longer in the configuration; to go on with it put its section [job %s] back "
        "into %s (a running pool takes it over by stint reload)%s",
        job->name, job->name, cli->conf, buf_str(&left));
}

/* True when that is what is wrong, and it was said. */
static bool is_gone(struct cli *cli, const char *name)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    if ((!cli->store && cli_open_read(cli)) || !cli->store ||
        overview_take(cli->store, cli->config, &view, NULL))
        return false;
    const struct job_view *job = overview_job(&view, name);
    if (job)
        say_gone(cli, job);
    return job != NULL;
}

const struct job_spec *gone_or_job(struct cli *cli, const char *name)
{
    const struct job_spec *job = config_job(cli->config, name);
    if (job || is_gone(cli, name))
        return job;
    return cli_job(cli, name);
}

bool gone_add_note(struct buf *out, const struct overview *o)
{
    struct buf names CLEANUP(buf_fini) = BUF_INIT;
    const char *first = NULL;
    int64_t sum = 0;
    char n[32];
    for (size_t i = 0; i < o->len; i++) {
        const struct job_view *job = &o->jobs[i];
        int64_t open = job->is_configured ? 0 : count_open(job);
        if (open == 0)
            continue;
        buf_addf(&names, "%s%s (%s)", first ? ", " : "", job->name, text_count(open, n, sizeof(n)));
        first = first ? first : job->name;
        sum += open;
    }
    if (!first)
        return false;
    buf_addf(out,
        "%s open stage run%s not counted: no longer in the configuration: %s; end them: "
        "stint cancel 'job:%s', or put the job back",
        text_count(sum, n, sizeof(n)), sum == 1 ? " is" : "s are", buf_str(&names), first);
    return true;
}
