/* look: what people ask: counts, results, events. Reads only, short, in pages. Used by stint. */
#ifndef STINT_STORE_LOOK_H
#define STINT_STORE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/store/catalog.h"
#include "common/store/ending.h"

/* One stage's exact counts by status, from stage_counts. */
struct stage_count {
    int64_t job_id, stage_id, position;
    bool is_enabled, is_paused;
    bool is_job_paused;          /* the whole job is: the reason is that one's */
    bool is_on_trial;            /* paused by its handler, not by an operator */
    const char *job, *stage;     /* until the callback returns */
    const char *pause_reason;    /* NULL when not paused */
    int64_t retry_after_wall_ms; /* 0: none */
    int64_t counts[STATUS_COUNT];
    int64_t items; /* of the job */
};
typedef enum rc (*stage_count_fn)(void *ctx, const struct stage_count *row);
MUST_CHECK enum rc look_counts(struct store *store, stage_count_fn fn, void *ctx, struct err *err);

struct result_row {
    int64_t item_id;
    const char *key, *stage, *status, *data; /* data: JSON text */
    const char *handler_version;
    int64_t created_wall_ms;
};
typedef enum rc (*result_fn)(void *ctx, const struct result_row *row);
/* Not superseded results of a job (stage NULL: every stage) in item order, read in pages. */
MUST_CHECK enum rc look_results(struct store *store, const char *job, const char *stage,
    result_fn fn, void *ctx, struct err *err);

struct event_row {
    int64_t id, ts_wall_ms;
    const char *event, *job, *stage, *key; /* NULL where the event has none */
    const char *data;                      /* JSON object text */
};
typedef enum rc (*event_fn)(void *ctx, const struct event_row *row);
/* Events with id > after in id order, at most limit. event NULL: all kinds. */
MUST_CHECK enum rc look_events(struct store *store, int64_t after, const char *event, int64_t limit,
    event_fn fn, void *ctx, struct err *err);
/* The id before the newest `limit` events: pass it to look_events. */
MUST_CHECK enum rc look_events_tail(
    struct store *store, const char *event, int64_t limit, int64_t *ret_after, struct err *err);

/* Item counts of a job: found, at_rest_done (derived done); for a chain from its last stage. */
struct claim_owner {
    const char *job, *stage, *key;
};
typedef enum rc (*claim_owner_fn)(void *ctx, const struct claim_owner *row);
/* What a claim is about; RC_NOTFOUND: nothing bears it. */
MUST_CHECK enum rc look_claim(
    struct store *store, int64_t claim, claim_owner_fn fn, void *ctx, struct err *err);

struct health_row {
    int64_t submitted;            /* by INSERT INTO submit, ever: other programs write here */
    int64_t newest_event_wall_ms; /* 0: none */
};
MUST_CHECK enum rc look_health(struct store *store, struct health_row *ret, struct err *err);

/* Bytes of database and WAL by stat (0 when missing). */
void look_sizes(const char *database, int64_t *ret_db_bytes, int64_t *ret_wal_bytes);

#endif
