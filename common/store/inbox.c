#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/store/merge.h"
#include "common/store/query.h"

struct inbox_row {
    int64_t id, job_id;
    struct add_item item;
    char *key, *data;
};

static void cleanup_row(struct inbox_row *row)
{
    free(row->key);
    free(row->data);
}

/* RC_NOTFOUND: nothing waits. */
static enum rc next_row(struct store *store, struct inbox_row *row, struct err *err)
{
    QUERY q = query(store, Q_INBOX_NEXT);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc;
    const char *data = get_text(&q, "data");
    row->id = get_int(&q, "id");
    row->job_id = get_int(&q, "job_id");
    row->key = xstrdup(get_text(&q, "item_key"));
    row->data = data ? xstrdup(data) : NULL;
    row->item = (struct add_item){
        .key = row->key,
        .data = row->data,
        .priority = get_int(&q, "priority"),
        .has_priority = !get_is_null(&q, "priority"),
    };
    return RC_OK;
}

static const struct catalog_job *job_by_id(const struct catalog *catalog, int64_t id)
{
    for (size_t i = 0; i < catalog->jobs_len; i++) {
        if (catalog->jobs[i].id == id)
            return &catalog->jobs[i];
    }
    return NULL;
}

static enum rc refuse_row(
    struct store *store, int64_t id, const char *why, int64_t now, struct err *err)
{
    QUERY q = query(store, Q_INBOX_REFUSE);
    put_int(&q, "id", id);
    put_text(&q, "why", why);
    put_int(&q, "now_ms", now);
    return query_write(&q, NULL, err);
}

static enum rc delete_row(struct store *store, int64_t id, struct err *err)
{
    QUERY q = query(store, Q_INBOX_DELETE);
    put_int(&q, "id", id);
    return query_write(&q, NULL, err);
}

/* RC_NOTFOUND: nothing waits. */
static enum rc admit_one(const struct merge *like, const struct catalog *catalog, struct err *err)
{
    CLEANUP(cleanup_row) struct inbox_row row = {0};
    enum rc rc = next_row(like->store, &row, err);
    if (rc)
        return rc;
    struct merge m = *like;
    struct err why = {""};
    m.job = job_by_id(catalog, row.job_id);
    rc = m.job ? merge_item(&m, &row.item, &why)
               : err_set(&why, RC_INVALID, "its job is not in the configuration");
    if (rc == RC_INVALID || rc == RC_LIMIT)
        return refuse_row(m.store, row.id, why.text, m.now_wall_ms, err);
    if (rc == RC_OK)
        return delete_row(m.store, row.id, err);
    return err_set(err, rc, "%s", why.text);
}

static enum rc is_anything_waiting(struct store *store, bool *ret, struct err *err)
{
    QUERY q = query(store, Q_INBOX_NEXT);
    enum rc rc = query_one(&q, err);
    *ret = rc == RC_ROW;
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

static enum rc admit_some(const struct merge *m, const struct catalog *catalog, int64_t limit,
    bool *ret_left, struct err *err)
{
    for (int64_t i = 0; i < limit; i++) {
        enum rc rc = admit_one(m, catalog, err);
        if (rc == RC_NOTFOUND) {
            *ret_left = false;
            return RC_OK;
        }
        if (rc)
            return rc;
    }
    return is_anything_waiting(m->store, ret_left, err);
}

enum rc store_admit_inbox(struct store *store, const struct catalog *catalog, int64_t limit,
    struct add_report *report, bool *ret_left, struct err *err)
{
    static const struct add_options opts = {.source = "inbox"};
    bool is_left = false;
    enum rc rc = is_anything_waiting(store, &is_left, err);
    if (rc || !is_left) { /* the usual case takes no lock */
        if (rc == RC_OK)
            *ret_left = false;
        return rc;
    }
    struct add_report made = *report;
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct merge m = {store, NULL, &opts, &made, clock_wall_ms(), &plan, false};
    rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = admit_some(&m, catalog, limit, &is_left, err);
    CRASH_POINT("admit.before_commit");
    rc = txn_end(store, rc, err);
    if (rc == RC_OK) {
        *report = made;
        *ret_left = is_left;
    }
    return rc;
}
