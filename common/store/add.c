#include "common/store/add.h"

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/store/merge.h"
#include "common/store/query.h"

static enum rc add_all(const struct merge *m, const struct add_item *items, size_t len,
    size_t *ret_bad, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        enum rc rc = merge_item(m, &items[i], err);
        if (rc) {
            if (ret_bad)
                *ret_bad = i;
            return rc;
        }
    }
    return RC_OK;
}

enum rc store_add(struct store *store, const struct catalog_job *job, const struct add_item *items,
    size_t len, const struct add_options *opts, struct add_report *report, size_t *ret_bad,
    struct err *err)
{
    struct add_report made = *report;
    CLEANUP(merge_plan_fini) struct merge_plan plan = {0};
    struct merge m = {store, job, opts, &made, clock_wall_ms(), &plan, false};
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = add_all(&m, items, len, ret_bad, err);
    if (rc == RC_OK && opts->is_dry_run) {
        store->driver->rollback(store->db);
        *report = made;
        return RC_OK;
    }
    CRASH_POINT("add.before_commit");
    rc = txn_end(store, rc, err);
    CRASH_POINT("add.after_commit");
    if (rc == RC_OK)
        *report = made;
    return rc;
}
