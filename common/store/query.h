/* query: a statement in the hand of a function of common/store: bound and read by name, reset when
 * the variable goes out of scope (CLEANUP(query_fini)), so that no read stays open on any path.
 * Used inside common/store only. */
#ifndef STINT_STORE_QUERY_H
#define STINT_STORE_QUERY_H

#include "common/base/cleanup.h"
#include "common/store/driver.h"
#include "common/store/internal.h"

struct query_run {
    const struct store *store;
    struct stmt *stmt;
};
#define QUERY CLEANUP(query_fini) struct query_run

static inline struct query_run query(struct store *store, enum query id)
{
    return (struct query_run){store, store->driver->query(store->db, id)};
}

static inline void query_fini(struct query_run *q)
{
    if (q->stmt)
        q->store->driver->reset(q->stmt);
    q->stmt = NULL;
}

static inline void put_int(struct query_run *q, const char *name, int64_t value)
{
    q->store->driver->bind_int(q->stmt, name, value);
}

static inline void put_text(struct query_run *q, const char *name, const char *value)
{
    q->store->driver->bind_text(q->stmt, name, value);
}

/* 0: null. */
static inline void put_id(struct query_run *q, const char *name, int64_t id)
{
    if (id)
        q->store->driver->bind_int(q->stmt, name, id);
    else
        q->store->driver->bind_null(q->stmt, name);
}

static inline enum rc query_step(struct query_run *q, struct err *err)
{
    return q->store->driver->step(q->stmt, err);
}

static inline int64_t get_int(const struct query_run *q, const char *name)
{
    return q->store->driver->col_int(q->stmt, name);
}

static inline bool get_is_null(const struct query_run *q, const char *name)
{
    return q->store->driver->col_is_null(q->stmt, name);
}

static inline const char *get_text(const struct query_run *q, const char *name)
{
    return q->store->driver->col_text(q->stmt, name);
}

/* A write: to its end. *ret_changes (may be NULL): rows. */
MUST_CHECK enum rc query_write(struct query_run *q, int64_t *ret_changes, struct err *err);
/* A read of at most one row: RC_ROW (readable until the next step), RC_NOTFOUND, or an error. */
MUST_CHECK enum rc query_one(struct query_run *q, struct err *err);

#endif
