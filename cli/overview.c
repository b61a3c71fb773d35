#include "cli/overview.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/store/settle.h"

/* What is being filled: the jobs so far, and whether discoveries move. */
struct taking {
    struct overview *view;
    bool is_finding;
};

static struct job_view *add_job(struct overview *o, const char *name)
{
    o->jobs = xrealloc(o->jobs, (o->len + 1) * sizeof(*o->jobs));
    struct job_view *job = &o->jobs[o->len++];
    *job = (struct job_view){.name = xstrdup(name)};
    return job;
}

static struct job_view *find_job(struct overview *o, const char *name)
{
    for (size_t i = 0; i < o->len; i++)
        if (strcmp(o->jobs[i].name, name) == 0)
            return &o->jobs[i];
    return NULL;
}

static struct stage_view *add_stage(struct job_view *job, const char *name)
{
    job->stages = xrealloc(job->stages, (job->stages_len + 1) * sizeof(*job->stages));
    struct stage_view *stage = &job->stages[job->stages_len++];
    *stage = (struct stage_view){.name = xstrdup(name), .is_enabled = true};
    return stage;
}

static struct stage_view *find_stage(struct job_view *job, const char *name)
{
    for (size_t i = 0; i < job->stages_len; i++)
        if (strcmp(job->stages[i].name, name) == 0)
            return &job->stages[i];
    return NULL;
}

static int64_t count_undone(const int64_t counts[STATUS_COUNT])
{
    int64_t n = 0;
    for (int s = 0; s < STATUS_COUNT; s++)
        if (s != STATUS_DONE && s != STATUS_SKIPPED)
            n += counts[s];
    return n;
}

static void add_configured(struct overview *o, const struct config *config)
{
    for (size_t i = 0; i < config->jobs_len; i++) {
        const struct job_spec *spec = &config->jobs[i];
        struct job_view *job = add_job(o, spec->name);
        job->is_configured = true;
        for (size_t k = 0; k < spec->stages_len; k++)
            add_stage(job, spec->stages[k].name);
    }
}

static enum rc on_count(void *ctx, const struct stage_count *row)
{
    struct taking *taking = ctx;
    if (strcmp(row->job, DISCOVER_JOB) == 0) {
        for (int s = 0; s < STATUS_COUNT; s++)
            if (status_is_moving((enum stage_status)s) && row->counts[s] > 0)
                taking->is_finding = true;
        taking->view->failed_discoveries +=
            row->counts[STATUS_FAILED] + row->counts[STATUS_EXHAUSTED];
        return RC_OK;
    }
    struct job_view *job = find_job(taking->view, row->job);
    if (!job)
        job = add_job(taking->view, row->job);
    struct stage_view *stage = find_stage(job, row->stage);
    if (!stage)
        stage = add_stage(job, row->stage);
    job->job_id = row->job_id;
    job->items = row->items;
    stage->stage_id = row->stage_id;
    stage->is_enabled = row->is_enabled;
    stage->is_paused = row->is_paused;
    stage->is_on_trial = row->is_on_trial;
    job->is_paused = job->is_paused || row->is_job_paused;
    stage->reason = row->pause_reason ? xstrdup(row->pause_reason) : NULL;
    stage->retry_after_wall_ms = row->retry_after_wall_ms;
    for (int s = 0; s < STATUS_COUNT; s++) {
        stage->counts[s] = row->counts[s];
        job->counts[s] += row->counts[s];
    }
    return RC_OK;
}

/* An item is done when all its runs are, in a stage that was removed, too: of all the stages the
 * one that lacks most decides. Exact where what lacks one stage lacks the later ones as well, which
 * is so for a chain at work; after a reorder different items may lack different stages, and until
 * they are through it is the most that can be done. */
static void count_done_items(struct job_view *job)
{
    int64_t most_undone = 0;
    for (size_t i = 0; i < job->stages_len; i++) {
        int64_t undone = count_undone(job->stages[i].counts);
        most_undone = undone > most_undone ? undone : most_undone;
    }
    job->done_items = job->items - most_undone;
}

/* Some discovery moves. Is it this job's? Its rest counts it in, the counts of its stages do not.
 */
static enum rc find_finding(struct store *store, struct job_view *job, struct err *err)
{
    struct rest rest;
    if (!job->job_id)
        return RC_OK;
    enum rc rc = store_rest(store, job->job_id, &rest, err);
    if (!rc)
        job->is_finding = rest.moving > job_moving(job);
    return rc;
}

enum rc overview_take(
    struct store *store, const struct config *config, struct overview *ret, struct err *err)
{
    struct overview view = OVERVIEW_INIT;
    struct taking taking = {.view = &view};
    add_configured(&view, config);
    enum rc rc = store ? look_counts(store, on_count, &taking, err) : RC_OK;
    for (size_t i = 0; i < view.len && !rc; i++) {
        count_done_items(&view.jobs[i]);
        if (taking.is_finding)
            rc = find_finding(store, &view.jobs[i], err);
    }
    if (rc) {
        overview_fini(&view);
        return rc;
    }
    *ret = view;
    return RC_OK;
}

void overview_fini(struct overview *o)
{
    for (size_t i = 0; o && i < o->len; i++) {
        struct job_view *job = &o->jobs[i];
        for (size_t k = 0; k < job->stages_len; k++) {
            free(job->stages[k].name);
            free(job->stages[k].reason);
        }
        free(job->stages);
        free(job->name);
        free(job->finding_why);
    }
    if (o) {
        free(o->jobs);
        *o = (struct overview)OVERVIEW_INIT;
    }
}

const struct job_view *overview_job(const struct overview *o, const char *name)
{
    for (size_t i = 0; i < o->len; i++)
        if (strcmp(o->jobs[i].name, name) == 0)
            return &o->jobs[i];
    return NULL;
}

static int64_t sum_moving(const int64_t counts[STATUS_COUNT])
{
    int64_t n = 0;
    for (int s = 0; s < STATUS_COUNT; s++)
        if (status_is_moving((enum stage_status)s))
            n += counts[s];
    return n;
}

int64_t job_moving(const struct job_view *job)
{
    return sum_moving(job->counts);
}

int64_t job_failed(const struct job_view *job)
{
    return job->counts[STATUS_FAILED] + job->counts[STATUS_EXHAUSTED];
}

int64_t job_undone(const struct job_view *job)
{
    return count_undone(job->counts);
}

bool job_is_stuck(const struct job_view *job)
{
    int64_t stuck = 0;
    for (size_t i = 0; i < job->stages_len; i++)
        if (job->stages[i].is_paused && job->stages[i].retry_after_wall_ms == 0)
            stuck += sum_moving(job->stages[i].counts);
    return stuck > 0 && stuck == job_moving(job) && job->counts[STATUS_IN_PROGRESS] == 0;
}
