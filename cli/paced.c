#include "cli/paced.h"

#include <jansson.h>
#include <string.h>

#include "cli/notes.h"
#include "cli/pool.h"
#include "cli/show.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

/* JOB.STAGE has runs that could be claimed. */
static bool has_ready(const struct overview *view, const char *only, const char *name)
{
    for (size_t i = 0; i < view->len; i++) {
        const struct job_view *job = &view->jobs[i];
        size_t len = strlen(job->name);
        if (strncmp(name, job->name, len) != 0 || name[len] != '.' ||
            (only && strcmp(only, job->name) != 0))
            continue;
        for (size_t k = 0; k < job->stages_len; k++)
            if (strcmp(job->stages[k].name, name + len + 1) == 0)
                return job->stages[k].counts[STATUS_PENDING] > 0 && !job->stages[k].is_paused;
    }
    return false;
}

static void add_until(struct buf *out, const json_t *resource)
{
    char span[48];
    int64_t held = show_parse_time(json_string_value(json_object_get(resource, "held_until")));
    int64_t next_ms = json_integer_value(json_object_get(resource, "next_token_ms"));
    if (held > 0) {
        buf_adds(out, "; held");
        notes_add_until(out, held, clock_wall_ms());
    } else if (next_ms > 0) {
        buf_addf(out, "; next token in %s", text_duration(next_ms, span, sizeof(span)));
    }
    buf_addc(out, '\n');
}

static void add_resource(
    const json_t *resource, const struct overview *view, const char *only, struct buf *out)
{
    const json_t *stages = json_object_get(resource, "stages");
    const char *name = json_string_value(json_object_get(resource, "name"));
    const char *rate = json_string_value(json_object_get(resource, "rate"));
    size_t named = 0;
    if (!name || !rate || json_integer_value(json_object_get(resource, "waiting")) == 0)
        return;
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const char *stage = json_string_value(json_array_get(stages, i));
        if (!stage || !has_ready(view, only, stage))
            continue;
        if (named++ == 0)
            buf_addf(out, "waits for resource %s (%s): ", name, rate);
        buf_addf(out, "%s%s", named > 1 ? ", " : "", stage);
    }
    if (named > 0)
        add_until(out, resource);
}

void paced_add_notes(
    const struct cli *cli, const struct overview *view, const char *only, struct buf *out)
{
    struct buf payload CLEANUP(buf_fini) = BUF_INIT;
    if (cli->presence != POOL_RUNNING || cli->config->resources_len == 0 ||
        cli_ask(cli, "resources", &payload, NULL) != RC_OK)
        return;
    for (const char *line = buf_str(&payload); *line;) {
        size_t len = strcspn(line, "\n");
        json_t *resource = json_loadb(line, len, 0, NULL);
        add_resource(resource, view, only, out);
        json_decref(resource);
        line += len + (line[len] == '\n');
    }
}
