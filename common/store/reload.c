#include "common/store/reload.h"

#include "common/base/clock.h"
#include "common/base/crash.h"
#include "common/store/catalog_sync.h"
#include "common/store/discoveries.h"
#include "common/store/pause.h"
#include "common/store/query.h"

/* *ret_is_new: the pool goes by an older one so far. */
static enum rc take_generation(
    struct store *store, const struct reload *r, bool *ret_is_new, struct err *err)
{
    QUERY q = query(store, Q_POOL_RELOAD);
    int64_t changes = 0;
    put_int(&q, "id", r->pool_row);
    put_int(&q, "generation", (int64_t)r->generation);
    enum rc rc = query_write(&q, &changes, err);
    *ret_is_new = changes > 0;
    return rc;
}

static enum rc write_all(
    struct store *store, const struct reload *r, struct catalog **ret, struct err *err)
{
    int64_t now = clock_wall_ms();
    struct event_ref about = {0, 0, 0};
    struct add_report report = {0};
    bool is_new = false;
    enum rc rc = take_generation(store, r, &is_new, err);
    if (rc == RC_OK && is_new)
        rc = catalog_write(store, r->config, now, err);
    if (rc == RC_OK && is_new && r->has_spec)
        rc = pause_start_over(store, now, err);
    if (rc == RC_OK && is_new)
        rc = event_put(store, now, "reload", &about, r->event, err);
    if (rc == RC_OK)
        rc = catalog_load(store, r->config, ret, err);
    if (rc == RC_OK && is_new)
        rc = discoveries_open(store, *ret, &r->discover, &report, err);
    return rc;
}

/* The word is raised last: nothing that can fail but the commit itself comes after it. */
enum rc store_reload(
    struct store *store, const struct reload *r, struct catalog **ret, struct err *err)
{
    struct catalog *catalog = NULL;
    uint64_t before = atomic_load(r->spec_word);
    enum rc rc = txn_begin(store, TXN_FULL, err);
    if (rc)
        return rc;
    rc = write_all(store, r, &catalog, err);
    if (rc == RC_OK)
        atomic_store(r->spec_word, r->spec_generation);
    CRASH_POINT("reload.before_commit");
    rc = txn_end(store, rc, err);
    CRASH_POINT("reload.after_commit");
    if (rc == RC_OK) {
        *ret = catalog;
        return RC_OK;
    }
    atomic_store(r->spec_word, before);
    catalog_free(catalog);
    return rc;
}

enum rc store_reload_generation(
    struct store *store, int64_t pool_row, uint64_t *ret, struct err *err)
{
    QUERY q = query(store, Q_POOL_GENERATION);
    put_int(&q, "id", pool_row);
    enum rc rc = query_one(&q, err);
    if (rc == RC_NOTFOUND)
        return err_set(err, rc, "database %s: the row of this pool is gone", store->path);
    if (rc != RC_ROW)
        return rc;
    *ret = (uint64_t)get_int(&q, "config_generation");
    return RC_OK;
}
