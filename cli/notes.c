#include "cli/notes.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

void notes_add_until(struct buf *out, int64_t until_wall_ms, int64_t now_wall_ms)
{
    char time[40], left[32];
    if (until_wall_ms == 0)
        return;
    bool is_far = now_wall_ms > 0 && until_wall_ms - now_wall_ms > DAY_MS;
    const char *day_end = strchr(clock_format_wall(until_wall_ms, time, sizeof(time)), 'T');
    if (day_end && is_far)
        buf_addf(out, " until %.10s %.8sZ", time, day_end + 1);
    else if (day_end)
        buf_addf(out, " until %.8sZ", day_end + 1);
    if (now_wall_ms == 0)
        return;
    int64_t left_ms = until_wall_ms > now_wall_ms ? until_wall_ms - now_wall_ms : 0;
    buf_addf(out, " (in %s)", text_duration((left_ms + 999) / 1000 * 1000, left, sizeof(left)));
}

static void add_pause(struct buf *out, const struct job_view *job, const struct stage_view *stage,
    int64_t now_wall_ms)
{
    buf_addf(out, "paused: %s", job->name);
    if (!job->is_paused)
        buf_addf(out, ".%s", stage->name);
    notes_add_until(out, stage->retry_after_wall_ms, now_wall_ms);
    buf_adds(out, ": ");
    if (stage->reason)
        text_add_printable(out, stage->reason, strlen(stage->reason));
    buf_addc(out, '\n');
}

static void add_paused_of(
    struct buf *out, const struct job_view *job, int64_t now_wall_ms, bool *wants_hint)
{
    for (size_t i = 0; i < job->stages_len; i++) {
        const struct stage_view *stage = &job->stages[i];
        if (!stage->is_paused)
            continue;
        add_pause(out, job, stage, now_wall_ms);
        /* Some reasons say themselves when it is tried again. */
        *wants_hint = *wants_hint || (stage->is_on_trial && stage->reason &&
                                         !strstr(stage->reason, "tried again"));
        if (job->is_paused)
            return; /* the same for all its stages */
    }
}

void notes_add_paused(
    struct buf *out, const struct overview *o, const char *only, int64_t now_wall_ms)
{
    bool wants_hint = false;
    for (size_t i = 0; i < o->len; i++)
        if (!only || strcmp(only, o->jobs[i].name) == 0)
            add_paused_of(out, &o->jobs[i], now_wall_ms, &wants_hint);
    if (wants_hint)
        buf_adds(out, "  it is also tried again at the next start: stint run\n");
}

bool notes_add_failed_finding(struct buf *out, const struct overview *o, const char *only)
{
    int64_t named = 0, others = o->failed_discoveries;
    struct buf names CLEANUP(buf_fini) = BUF_INIT;
    const char *why = NULL;
    for (size_t i = 0; i < o->len; i++) {
        if (!o->jobs[i].failed_finding)
            continue;
        others--;
        if (only && strcmp(only, o->jobs[i].name) != 0)
            continue;
        buf_addf(&names, "%s%s", named++ ? ", " : "", o->jobs[i].name);
        why = o->jobs[i].finding_why;
    }
    if (!only && others > 0)
        buf_addf(&names, "%s%lld job%s", named ? " and other " : "", (long long)others,
            others == 1 ? "" : "s");
    if (names.len == 0)
        return false;
    buf_addf(out, "finding items failed for %s", buf_str(&names));
    if (why != NULL && named == 1) {
        buf_adds(out, ": ");
        text_add_printable(out, why, strlen(why));
    }
    return true;
}
