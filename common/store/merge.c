#include "common/store/merge.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/store/ending.h"
#include "common/store/new_item.h"
#include "common/store/query.h"

#define AGEING_MAX_MS (INT64_C(7) * 24 * 3600 * 1000)

/* Where a known item stands at one stage of the job; same index as job->stages. */
struct standing {
    enum stage_status status;
    bool is_known, is_other_version;
};

struct known_item {
    int64_t id, priority, queued_at;
    char *data;
    struct standing *stages;
};

static void cleanup_known(struct known_item *known)
{
    free(known->data);
    free(known->stages);
}

int64_t merge_rank(int64_t queued_at_ms, int64_t priority, int64_t ageing_ms)
{
    int64_t credit = priority * ageing_ms;
    if (credit > AGEING_MAX_MS)
        credit = AGEING_MAX_MS;
    if (credit < -AGEING_MAX_MS)
        credit = -AGEING_MAX_MS;
    return queued_at_ms - credit;
}

static bool is_ended(enum stage_status status)
{
    return status == STATUS_FAILED || status == STATUS_EXHAUSTED || status == STATUS_CANCELLED;
}

static bool is_complete(enum stage_status status)
{
    return status == STATUS_DONE || status == STATUS_SKIPPED;
}

static enum rc read_stages(const struct merge *m, struct known_item *known, struct err *err)
{
    const struct job_spec *spec = m->job->spec;
    known->stages = xcalloc(spec->stages_len, sizeof *known->stages);
    QUERY q = query(m->store, Q_ITEM_RUNS);
    put_int(&q, "item_id", known->id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        for (size_t i = 0; i < spec->stages_len; i++) {
            if (m->job->stages[i].id != get_int(&q, "stage_id"))
                continue;
            struct standing *at = &known->stages[i];
            const char *version = get_text(&q, "handler_version");
            at->is_known = status_parse(get_text(&q, "status"), &at->status);
            at->is_other_version = at->status == STATUS_DONE && get_int(&q, "has_result") &&
                                   spec->stages[i].version[0] &&
                                   strcmp(version ? version : "", spec->stages[i].version) != 0;
        }
    }
    return rc == RC_DONE ? RC_OK : rc;
}

/* RC_NOTFOUND: the job has no item of this key. */
static enum rc read_known(
    const struct merge *m, const char *key, struct known_item *known, struct err *err)
{
    {
        QUERY q = query(m->store, Q_ITEM_GET);
        put_int(&q, "job_id", m->job->id);
        put_text(&q, "item_key", key);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW)
            return rc;
        known->id = get_int(&q, "id");
        known->priority = get_int(&q, "priority");
        known->queued_at = get_int(&q, "queued_at");
        known->data = xstrdup(get_text(&q, "data"));
    }
    return read_stages(m, known, err);
}

static enum rc reopen_run(const struct merge *m, int64_t item_id, int64_t stage_id,
    enum stage_status status, struct err *err)
{
    enum rc rc;
    {
        QUERY q = query(m->store, Q_RUN_REOPEN);
        put_int(&q, "item_id", item_id);
        put_int(&q, "stage_id", stage_id);
        put_text(&q, "status", status_name(status));
        put_int(&q, "now_ms", m->now_wall_ms);
        rc = query_write(&q, NULL, err);
    }
    if (rc)
        return rc;
    m->report->claimable += status == STATUS_PENDING;
    QUERY q = query(m->store, Q_RESULT_SUPERSEDE);
    put_int(&q, "item_id", item_id);
    put_int(&q, "stage_id", stage_id);
    return query_write(&q, NULL, err);
}

static enum rc log_reopened(
    const struct merge *m, int64_t item_id, size_t from, const char *why, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "why", why);
    json_str(&j, "source", m->opts->source);
    json_end_object(&j);
    struct event_ref about = {m->job->id, m->job->stages[from].id, item_id};
    return event_put(m->store, m->now_wall_ms, "item.reopened", &about, buf_str(&data), err);
}

/* What was complete, from a stage on: that stage is claimable, what follows waits for it. */
static enum rc reopen_from(const struct merge *m, const struct known_item *known, size_t from,
    const char *why, struct err *err)
{
    enum rc rc = log_reopened(m, known->id, from, why, err);
    for (size_t i = from; rc == RC_OK && i < m->job->spec->stages_len; i++) {
        if (known->stages[i].is_known)
            rc = reopen_run(m, known->id, m->job->stages[i].id,
                i == from ? STATUS_PENDING : STATUS_BLOCKED, err);
    }
    return rc;
}

/* Failed, exhausted, cancelled: again from there. */
static enum rc retry_ended(const struct merge *m, const struct known_item *known, struct err *err)
{
    bool is_ready = true, is_logged = false;
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < m->job->spec->stages_len; i++) {
        const struct standing *at = &known->stages[i];
        if (at->is_known && is_ended(at->status)) {
            if (!is_logged)
                rc = log_reopened(m, known->id, i, "retry", err);
            is_logged = true;
            if (rc == RC_OK)
                rc = reopen_run(m, known->id, m->job->stages[i].id,
                    is_ready ? STATUS_PENDING : STATUS_BLOCKED, err);
        }
        is_ready = is_ready && is_complete(at->status);
    }
    return rc;
}

/* What the rules reopen, decided from where the item stands. */
enum reopening { REOPEN_NOTHING, REOPEN_ENDED, REOPEN_WISHED, REOPEN_CHANGED, REOPEN_VERSION };

static enum reopening decide_reopening(
    const struct merge *m, const struct known_item *known, bool is_changed, size_t *ret_from)
{
    bool is_all_complete = true, has_ended = false;
    size_t version_at = SIZE_MAX;
    for (size_t i = 0; i < m->job->spec->stages_len; i++) {
        const struct standing *at = &known->stages[i];
        is_all_complete = is_all_complete && at->is_known && is_complete(at->status);
        has_ended = has_ended || (at->is_known && is_ended(at->status));
        if (at->is_other_version && version_at == SIZE_MAX)
            version_at = i;
    }
    m->report->ended += has_ended && !m->opts->wants_retry;
    if (has_ended)
        return m->opts->wants_retry ? REOPEN_ENDED : REOPEN_NOTHING;
    if (!is_all_complete)
        return REOPEN_NOTHING;
    *ret_from = 0;
    if (m->wants_rerun)
        return REOPEN_WISHED;
    if (is_changed && m->job->spec->on_change == ON_CHANGE_RERUN)
        return REOPEN_CHANGED;
    *ret_from = version_at;
    return version_at == SIZE_MAX ? REOPEN_NOTHING : REOPEN_VERSION;
}

static enum rc reopen(const struct merge *m, const struct known_item *known, enum reopening how,
    size_t from, struct err *err)
{
    switch (how) {
    case REOPEN_NOTHING:
        return RC_OK;
    case REOPEN_ENDED:
        return retry_ended(m, known, err);
    case REOPEN_WISHED:
        return reopen_from(m, known, from, "wished", err);
    case REOPEN_CHANGED:
        return reopen_from(m, known, from, "data changed", err);
    case REOPEN_VERSION:
        return reopen_from(m, known, from, "another version", err);
    }
    return RC_BUG;
}

static enum rc write_known(
    const struct merge *m, const struct known_item *known, const char *data, struct err *err)
{
    enum rc rc;
    {
        QUERY q = query(m->store, Q_ITEM_UPDATE);
        put_int(&q, "id", known->id);
        put_text(&q, "data", data);
        put_int(&q, "priority", known->priority);
        put_int(&q, "queued_at", known->queued_at);
        put_int(&q, "now_ms", m->now_wall_ms);
        rc = query_write(&q, NULL, err);
    }
    if (rc)
        return rc;
    QUERY q = query(m->store, Q_ITEM_RANK);
    put_int(&q, "item_id", known->id);
    put_int(&q, "rank", merge_rank(known->queued_at, known->priority, m->job->spec->ageing_ms));
    return query_write(&q, NULL, err);
}

/* RC_NOTFOUND: it is new. */
static enum rc merge_known(const struct merge *m, const struct add_item *item, struct err *err)
{
    CLEANUP(cleanup_known) struct known_item known = {0};
    enum rc rc = read_known(m, item->key, &known, err);
    if (rc)
        return rc;
    const char *data = known.data;
    if (item->data && m->job->spec->merge == MERGE_OVERWRITE)
        data = item->data;
    bool is_changed = strcmp(data, known.data) != 0;
    bool is_moved = item->has_priority && item->priority != known.priority;
    size_t from = 0;
    enum reopening how = decide_reopening(m, &known, is_changed, &from);
    if (how != REOPEN_NOTHING) {
        known.queued_at = m->now_wall_ms;
        m->report->reopened++;
    } else if (is_changed || is_moved) {
        m->report->merged++;
    } else {
        m->report->unchanged++;
        return RC_OK;
    }
    if (is_moved)
        known.priority = item->priority;
    rc = reopen(m, &known, how, from, err);
    return rc ? rc : write_known(m, &known, data, err);
}

static enum rc check(const struct add_item *item, char **ret_data, struct err *err)
{
    enum rc rc = text_check_key(item->key, strlen(item->key), err);
    if (rc)
        return rc;
    if (item->has_priority && (item->priority > PRIORITY_MAX || item->priority < -PRIORITY_MAX))
        return err_set(err, RC_INVALID, "%s: priority %lld is not within -%d..%d", item->key,
            (long long)item->priority, PRIORITY_MAX, PRIORITY_MAX);
    if (!item->data)
        return RC_OK;
    rc = json_normal("data", item->data, DATA_MAX_BYTES, ret_data, err);
    return rc ? err_prefix(err, rc, "%s", item->key) : RC_OK;
}

/* First what is likelier: a file that is added again is known from end to end. */
static enum rc add_normal(const struct merge *m, const struct add_item *item, struct err *err)
{
    enum rc rc = m->plan->expects_known ? merge_known(m, item, err) : RC_NOTFOUND;
    if (rc != RC_NOTFOUND)
        return rc;
    bool is_new = false;
    rc = new_item(m, item, &is_new, err);
    m->plan->expects_known = !is_new;
    if (rc || is_new)
        return rc;
    rc = merge_known(m, item, err);
    return rc == RC_NOTFOUND ? err_set(err, RC_BUG, "item %s is neither new nor known", item->key)
                             : rc;
}

enum rc merge_item(const struct merge *m, const struct add_item *item, struct err *err)
{
    CLEANUP_FREE char *data = NULL;
    enum rc rc = check(item, &data, err);
    if (rc)
        return rc;
    struct add_item normal = *item;
    normal.data = data;
    return add_normal(m, &normal, err);
}
