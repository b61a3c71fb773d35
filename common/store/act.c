#include "common/store/act.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/ipc/claim.h"
#include "common/store/ending.h"
#include "common/store/merge.h"
#include "common/store/query.h"

struct bite {
    struct store *store;
    const struct act_options *opts;
    int64_t now_wall_ms;
    int64_t *ids;
    size_t len, cap;
    int64_t last_item;
    struct act_report report;
};

uint32_t act_statuses(enum act act)
{
    uint32_t bits = 0;
    for (int i = 0; i < STATUS_COUNT; i++) {
        enum stage_status from = (enum stage_status)i;
        bool is_ended =
            from == STATUS_FAILED || from == STATUS_EXHAUSTED || from == STATUS_CANCELLED;
        bool is_concerned = act == ACT_CANCEL ? status_may_become(from, STATUS_CANCELLED)
                                              : is_ended && status_may_become(from, STATUS_PENDING);
        bits |= (uint32_t)is_concerned << i;
    }
    return bits;
}

bool act_leaves_out(const struct act_options *opts, const struct select_stage *stage)
{
    if (opts->act != ACT_RETRY)
        return false;
    return !stage->is_enabled || (opts->catalog && !catalog_stage(opts->catalog, stage->stage_id));
}

static enum rc log_act(
    const struct bite *b, const struct run_row *row, enum stage_status to, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    char claim[CLAIM_TEXT_MAX], time[32];
    struct json j;
    json_init(&j, &data);
    json_open_object(&j, NULL);
    json_str(&j, "from", status_name(row->s.status));
    json_str(&j, "to", status_name(to));
    json_int(&j, "attempts", row->s.attempts);
    if (row->s.status == STATUS_IN_PROGRESS) {
        json_str(&j, "claim", claim_format(row->claim, claim));
        json_int(&j, "life", claim_life(row->claim));
        json_str(&j, "started_at", clock_format_wall(row->started_wall_ms, time, sizeof time));
        json_num(&j, "elapsed_s", (double)(b->now_wall_ms - row->started_wall_ms) / 1000);
    }
    json_int(&j, "uid", b->opts->uid);
    json_end_object(&j);
    struct event_ref about = {row->stage->job_id, row->stage->stage_id, row->item_id};
    const char *data_text = buf_str(&data);
    if (b->opts->act == ACT_RETRY)
        return event_put(b->store, b->now_wall_ms, "run.retried", &about, data_text, err);
    return event_put(b->store, b->now_wall_ms, "run.cancelled", &about, data_text, err);
}

/* ---- retry ---- */

static enum rc is_ready(const struct bite *b, const struct run_row *row, bool *ret, struct err *err)
{
    QUERY q = query(b->store, Q_ACT_READY);
    put_int(&q, "item_id", row->item_id);
    put_int(&q, "stage_id", row->stage->stage_id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    *ret = get_int(&q, "is_ready") != 0;
    return RC_OK;
}

static enum rc reopen(
    const struct bite *b, const struct run_row *row, enum stage_status to, struct err *err)
{
    QUERY q = query(b->store, Q_RUN_REOPEN);
    put_int(&q, "item_id", row->item_id);
    put_int(&q, "stage_id", row->stage->stage_id);
    put_text(&q, "status", status_name(to));
    put_int(&q, "now_ms", b->now_wall_ms);
    return query_write(&q, NULL, err);
}

/* Its item queues from now on: all its runs get the rank of an item that was added now. */
static enum rc queue_anew(const struct bite *b, const struct run_row *row, struct err *err)
{
    const struct job_spec *job = catalog_stage(b->opts->catalog, row->stage->stage_id)->job->spec;
    {
        QUERY q = query(b->store, Q_ITEM_QUEUED);
        put_int(&q, "id", row->item_id);
        put_int(&q, "now_ms", b->now_wall_ms);
        enum rc rc = query_write(&q, NULL, err);
        if (rc)
            return rc;
    }
    QUERY q = query(b->store, Q_ITEM_RANK);
    put_int(&q, "item_id", row->item_id);
    put_int(&q, "rank", merge_rank(b->now_wall_ms, row->s.priority, job->ageing_ms));
    return query_write(&q, NULL, err);
}

static enum rc retry(struct bite *b, const struct run_row *row, struct err *err)
{
    bool has_its_turn = false;
    enum rc rc = is_ready(b, row, &has_its_turn, err);
    enum stage_status to = has_its_turn ? STATUS_PENDING : STATUS_BLOCKED;
    if (rc == RC_OK)
        rc = reopen(b, row, to, err);
    if (rc == RC_OK)
        rc = queue_anew(b, row, err);
    b->report.claimable += has_its_turn;
    return rc ? rc : log_act(b, row, to, err);
}

/* ---- cancel ---- */

static enum rc cancel(struct bite *b, const struct run_row *row, struct err *err)
{
    QUERY q = query(b->store, Q_ACT_CANCEL);
    put_int(&q, "id", row->id);
    put_int(&q, "now_ms", b->now_wall_ms);
    enum rc rc = query_write(&q, NULL, err);
    b->report.running += row->s.status == STATUS_IN_PROGRESS;
    return rc ? rc : log_act(b, row, STATUS_CANCELLED, err);
}

/* ---- a bite ---- */

/* All rows again, now under the write lock and before anything changes (what is done to one run may
 * change the status of its item): what does not match any longer is left alone. */
static enum rc look_again(struct selection *sel, struct bite *b, struct err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->len; i++) {
        struct run_row row;
        enum rc rc = selection_again(sel, b->ids[i], false, &row, err);
        if (rc == RC_OK)
            b->ids[kept++] = b->ids[i];
        else if (rc != RC_NOTFOUND)
            return rc;
    }
    b->len = kept;
    return RC_OK;
}

static enum rc change(struct selection *sel, struct bite *b, struct err *err)
{
    enum rc rc = look_again(sel, b, err);
    for (size_t i = 0; rc == RC_OK && i < b->len; i++) {
        struct run_row row;
        rc = selection_again(sel, b->ids[i], true, &row, err);
        if (rc == RC_OK)
            rc = b->opts->act == ACT_RETRY ? retry(b, &row, err) : cancel(b, &row, err);
        if (rc)
            return rc == RC_NOTFOUND ? RC_BUG : rc;
        b->report.changed++;
        row.stage->marked++;
    }
    return rc;
}

static void put(struct bite *b, const struct run_row *row)
{
    if (b->len == b->cap) {
        b->cap = b->cap ? 2 * b->cap : ACT_BITE;
        b->ids = xrealloc(b->ids, b->cap * sizeof *b->ids);
    }
    b->ids[b->len++] = row->id;
    b->last_item = row->item_id;
}

/* Runs of one item that come together stay together. */
static enum rc collect(struct selection *sel, struct bite *b, struct err *err)
{
    for (;;) {
        struct run_row row;
        enum rc rc = selection_next(sel, &row, err);
        if (rc == RC_DONE && b->len > 0)
            return RC_OK;
        if (rc != RC_ROW)
            return rc;
        if (act_leaves_out(b->opts, row.stage)) {
            b->report.left_out++;
        } else if (b->len >= ACT_BITE && row.item_id != b->last_item) {
            selection_put_back(sel);
            return RC_OK;
        } else {
            put(b, &row);
        }
    }
}

static void bite_fini(struct bite *b)
{
    free(b->ids);
}

enum rc act_bite(struct selection *sel, struct store *store, const struct act_options *opts,
    struct act_report *report, struct err *err)
{
    CLEANUP(bite_fini) struct bite b = {.store = store, .opts = opts};
    enum rc rc = collect(sel, &b, err);
    report->left_out += b.report.left_out;
    if (rc)
        return rc;
    rc = txn_begin(store, TXN_PLAIN, err);
    if (rc)
        return rc;
    b.now_wall_ms = clock_wall_ms();
    rc = change(sel, &b, err);
    rc = txn_end(store, rc, err);
    if (rc)
        return rc;
    report->changed += b.report.changed;
    report->claimable += b.report.claimable;
    report->running += b.report.running;
    return RC_OK;
}
