#include "cli/orphaned.h"

#include <stdio.h>
#include <string.h>

#include "cli/overview.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

#define LINE_MAX_BYTES 128

/* As the pool says it of its last reload. */
static bool is_removed_in(const json_t *changes, const char *job)
{
    char wanted[LINE_MAX_BYTES];
    (void)snprintf(wanted, sizeof(wanted), "[job %s] removed", job);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const char *line = json_string_value(json_array_get(changes, i));
        if (line && strcmp(line, wanted) == 0)
            return true;
    }
    return false;
}

static void add_job(const struct job_view *job, struct buf *out)
{
    const int64_t open = job_moving(job) + job->counts[STATUS_BLOCKED];
    char n[32];
    if (open == 0)
        return;
    buf_addf(out,
        "job %s: %s open stage run%s stay%s and will not run; to go on, put [job %s] back; to end "
        "them: stint cancel job:%s\n",
        job->name, text_count(open, n, sizeof(n)), open == 1 ? "" : "s", open == 1 ? "s" : "",
        job->name, job->name);
}

void orphaned_add(struct cli *cli, const struct config *now, const struct config *before,
    const json_t *changes, struct buf *out)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    if (!now || (!cli->store && cli_open_read(cli)) || !cli->store ||
        overview_take(cli->store, now, &view, NULL))
        return;
    for (size_t i = 0; i < view.len; i++) {
        const struct job_view *job = &view.jobs[i];
        if (!job->is_configured &&
            (before ? config_job(before, job->name) != NULL : is_removed_in(changes, job->name)))
            add_job(job, out);
    }
}
