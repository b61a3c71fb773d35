#include "common/store/levels.h"

#include <stdio.h>

#include "common/store/query.h"

static enum rc list(struct store *store, struct resource_levels *ret, struct err *err)
{
    QUERY q = query(store, Q_LEVEL_LIST);
    enum rc rc;
    ret->len = 0;
    while ((rc = query_step(&q, err)) == RC_ROW && ret->len < RESOURCES_MAX) {
        struct resource_level *row = &ret->rows[ret->len++];
        (void)snprintf(row->name, sizeof row->name, "%s", get_text(&q, "name"));
        row->tokens_millionths = get_int(&q, "tokens_millionths");
        row->saved_wall_ms = get_int(&q, "saved_at");
    }
    return rc == RC_DONE || rc == RC_ROW ? RC_OK : rc;
}

static enum rc forget(struct store *store, struct err *err)
{
    QUERY q = query(store, Q_LEVEL_FORGET);
    return query_write(&q, NULL, err);
}

static enum rc put(struct store *store, const struct resource_level *row, struct err *err)
{
    QUERY q = query(store, Q_LEVEL_PUT);
    put_text(&q, "name", row->name);
    put_int(&q, "tokens_millionths", row->tokens_millionths);
    put_int(&q, "saved_at_ms", row->saved_wall_ms);
    return query_write(&q, NULL, err);
}

static enum rc replace(struct store *store, const struct resource_levels *levels, struct err *err)
{
    enum rc rc = forget(store, err);
    for (size_t i = 0; rc == RC_OK && i < levels->len; i++)
        rc = put(store, &levels->rows[i], err);
    return rc;
}

enum rc store_levels_save(
    struct store *store, const struct resource_levels *levels, struct err *err)
{
    enum rc rc = txn_begin(store, TXN_PLAIN, err);
    return rc ? rc : txn_end(store, replace(store, levels, err), err);
}

enum rc store_levels_take(struct store *store, struct resource_levels *ret, struct err *err)
{
    struct resource_levels found = {0};
    enum rc rc = list(store, &found, err); /* mostly there is nothing to write */
    if (rc == RC_OK && found.len > 0) {
        rc = txn_begin(store, TXN_FULL, err);
        if (rc)
            return rc;
        rc = list(store, &found, err);
        if (rc == RC_OK)
            rc = forget(store, err);
        rc = txn_end(store, rc, err);
    }
    if (rc == RC_OK)
        *ret = found;
    return rc;
}
