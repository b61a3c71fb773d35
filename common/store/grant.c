#include "common/store/grant.h"

#include <stdlib.h>

#include "common/base/json.h"
#include "common/store/query.h"

/* Waited for the write lock any longer, what a worker took before is no measure of a rate. */
#define TOKENS_FRESH_MS 100

struct id_list {
    int64_t *ids;
    size_t len;
};

static void cleanup_ids(struct id_list *list)
{
    free(list->ids);
}

static enum rc list_paused(struct store *store, struct id_list *ret, struct err *err)
{
    QUERY q = query(store, Q_LANES_PAUSED);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW) {
        ret->ids = xrealloc(ret->ids, (ret->len + 1) * sizeof *ret->ids);
        ret->ids[ret->len++] = get_int(&q, "stage_id");
    }
    return rc == RC_DONE ? RC_OK : rc;
}

static bool has_id(const struct id_list *list, int64_t id)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->ids[i] == id)
            return true;
    }
    return false;
}

/* The first claimable run of a lane. */
struct pick {
    struct lane_head head;
    size_t lane; /* in the wish */
    bool is_suspect;
};

/* head.id 0: there is none. */
static enum rc pick_in_lane(
    struct store *store, const struct wish *wish, size_t lane, struct pick *ret, struct err *err)
{
    QUERY q = query(store, Q_CLAIM_PICK);
    put_int(&q, "stage_id", wish->stage_ids[lane]);
    enum rc rc = query_one(&q, err);
    *ret = (struct pick){.lane = lane};
    if (rc == RC_NOTFOUND)
        return RC_OK;
    if (rc != RC_ROW)
        return rc;
    int64_t favour = wish->stage_ids[lane] == wish->favoured ? FAVOUR_MS : 0;
    ret->head = (struct lane_head){get_int(&q, "id"), get_int(&q, "rank") - favour, 0};
    ret->is_suspect = get_int(&q, "suspect") != 0;
    return RC_OK;
}

static size_t room_in(const struct wish *wish, size_t lane)
{
    return !wish->rooms || wish->rooms[lane] > wish->claims_len ? wish->claims_len
                                                                : wish->rooms[lane];
}

static enum rc pick_run(
    struct store *store, const struct wish *wish, struct pick *ret, struct err *err)
{
    CLEANUP(cleanup_ids) struct id_list paused = {0};
    enum rc rc = list_paused(store, &paused, err);
    *ret = (struct pick){.lane = 0};
    for (size_t i = 0; rc == RC_OK && i < wish->stages_len; i++) {
        struct pick p;
        if (room_in(wish, i) == 0 || has_id(&paused, wish->stage_ids[i]))
            continue;
        rc = pick_in_lane(store, wish, i, &p, err);
        if (rc == RC_OK && p.head.id && (!ret->head.id || lane_head_precedes(&p.head, &ret->head)))
            *ret = p;
    }
    return rc;
}

static bool is_fenced(const struct wish *wish)
{
    return wish->fence && atomic_load(wish->fence) != wish->fence_value;
}

/* The runs that an exchange whose answer was lost has claimed. */
static enum rc find_claimed(
    struct store *store, const struct wish *wish, struct grants *g, struct err *err)
{
    for (size_t i = 0; i < wish->claims_len; i++) {
        QUERY q = query(store, Q_CLAIM_FIND);
        put_int(&q, "claim", wish->claim + (int64_t)i);
        enum rc rc = query_one(&q, err);
        if (rc != RC_ROW && rc != RC_NOTFOUND)
            return rc;
        g->ids[g->len++] = rc == RC_ROW ? get_int(&q, "id") : 0;
    }
    return RC_OK;
}

struct moment {
    int64_t started_ms, now_ms;
};

static enum rc take(struct store *store, const struct wish *wish, const struct pick *p,
    struct moment at, struct grants *g, struct err *err)
{
    int64_t changes = 0;
    QUERY q = query(store, Q_CLAIM_TAKE);
    put_int(&q, "id", p->head.id);
    put_int(&q, "claim", wish->claim + (int64_t)g->len);
    put_int(&q, "started_ms", at.started_ms);
    put_int(&q, "now_ms", at.now_ms);
    enum rc rc = query_write(&q, &changes, err);
    if (rc == RC_OK && changes == 1) {
        g->ids[g->len++] = p->head.id;
        g->new_len++;
    }
    return rc;
}

/* What a worker has room for, and others as well. */
static enum rc share_of(struct store *store, const struct wish *wish, const struct pick *p,
    size_t *room, struct err *err)
{
    const int64_t stage_id = wish->stage_ids[p->lane];
    const struct catalog_stage *stage =
        wish->catalog != NULL ? catalog_stage(wish->catalog, stage_id) : NULL;
    const size_t sure = stage != NULL ? (size_t)stage_room(stage->spec) : *room;
    if (wish->sharers < 2 || *room <= sure)
        return RC_OK;
    QUERY q = query(store, Q_LANE_PENDING);
    put_int(&q, "stage_id", stage_id);
    enum rc rc = query_one(&q, err);
    if (rc != RC_ROW)
        return rc == RC_NOTFOUND ? RC_OK : rc;
    const size_t share = (size_t)get_int(&q, "pending") / wish->sharers;
    *room = share > *room ? *room : share > sure ? share : sure;
    return RC_OK;
}

/* A suspect is taken first, and then alone, or not at all. */
static enum rc take_of_lane(struct store *store, const struct wish *wish, struct pick p,
    size_t room, struct moment at, struct grants *g, struct err *err)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && p.head.id && !(p.is_suspect && g->len > 0)) {
        rc = take(store, wish, &p, at, g, err);
        if (rc || p.is_suspect || g->len >= room)
            break;
        rc = pick_in_lane(store, wish, p.lane, &p, err);
    }
    return rc;
}

/* No stage of its job comes before: of a granted claim the wish's catalogue is the database's. */
static bool is_first(const struct wish *wish, int64_t stage_id)
{
    const struct catalog_stage *stage =
        wish->catalog != NULL ? catalog_stage(wish->catalog, stage_id) : NULL;
    return stage != NULL && stage == stage->job->stages;
}

static enum rc read_inputs(
    struct store *store, const struct wish *wish, struct run *run, struct err *err)
{
    if (is_first(wish, run->stage_id)) {
        run->inputs = xstrdup("{}");
        return RC_OK;
    }
    CLEANUP(buf_fini) struct buf inputs = BUF_INIT;
    struct json j;
    json_init(&j, &inputs);
    json_open_object(&j, NULL);
    QUERY q = query(store, Q_CLAIM_INPUTS);
    put_int(&q, "stage_id", run->stage_id);
    put_int(&q, "item_id", run->item_id);
    enum rc rc;
    while ((rc = query_step(&q, err)) == RC_ROW)
        json_raw(&j, get_text(&q, "stage"), get_text(&q, "data"));
    if (rc != RC_DONE)
        return rc;
    json_end_object(&j);
    run->inputs = buf_take(&inputs);
    return RC_OK;
}

/* After the commit; run has its id and claim. RC_OK with run->id 0: somebody took the claim away in
 * between. */
static enum rc read_run(
    struct store *store, const struct wish *wish, struct run *run, struct err *err)
{
    const int64_t id = run->id, claim = run->claim;
    {
        QUERY q = query(store, Q_CLAIM_READ);
        put_int(&q, "id", id);
        put_int(&q, "claim", claim);
        enum rc rc = query_one(&q, err);
        *run = (struct run){0};
        if (rc != RC_ROW)
            return rc == RC_NOTFOUND ? RC_OK : rc;
        const char *checkpoint = get_text(&q, "checkpoint");
        *run = (struct run){
            .id = id,
            .claim = claim,
            .item_id = get_int(&q, "item_id"),
            .stage_id = get_int(&q, "stage_id"),
            .state = {get_int(&q, "attempts"), get_int(&q, "interruptions"), get_int(&q, "streak"),
                get_int(&q, "suspect") != 0},
            .started_wall_ms = get_int(&q, "started_at"),
            .key = xstrdup(get_text(&q, "item_key")),
            .data = xstrdup(get_text(&q, "data")),
            .checkpoint = checkpoint ? xstrdup(checkpoint) : NULL,
        };
    }
    enum rc rc = read_inputs(store, wish, run, err);
    if (rc)
        run_fini(run);
    return rc;
}

static enum rc look_lane(
    struct store *store, int64_t stage_id, struct lane_head *ret, struct err *err)
{
    QUERY q = query(store, Q_LANE_HEAD);
    put_int(&q, "stage_id", stage_id);
    enum rc rc = query_one(&q, err);
    if (rc == RC_ROW)
        *ret =
            (struct lane_head){get_int(&q, "id"), get_int(&q, "rank"), get_int(&q, "updated_at")};
    return rc == RC_ROW || rc == RC_NOTFOUND ? RC_OK : rc;
}

enum rc grant_wish(
    struct store *store, const struct wish *wish, int64_t now, struct grants *g, struct err *err)
{
    if (wish->is_repeat)
        return find_claimed(store, wish, g, err);
    struct moment at = {wish->started_wall_ms ? wish->started_wall_ms : now, now};
    size_t paid = wish->claims_len;
    if (wish->renew && now - at.started_ms > TOKENS_FRESH_MS)
        paid = wish->renew(wish->renew_ctx, &at.started_ms);
    if (paid == 0 || is_fenced(wish)) /* fenced: a reload was committed before we got the lock */
        return RC_OK;
    struct pick best;
    enum rc rc = pick_run(store, wish, &best, err);
    if (rc || !best.head.id)
        return rc;
    size_t room = room_in(wish, best.lane);
    rc = share_of(store, wish, &best, &room, err);
    return rc ? rc : take_of_lane(store, wish, best, room < paid ? room : paid, at, g, err);
}

static enum rc read_runs(struct store *store, const struct wish *wish, const struct grants *g,
    struct exchange_answer *ret, struct err *err)
{
    ret->runs = xcalloc(g->len, sizeof *ret->runs);
    for (size_t i = 0; i < g->len; i++) {
        struct run *run = &ret->runs[ret->runs_len];
        enum rc rc = RC_OK;
        *run = (struct run){.id = g->ids[i], .claim = wish->claim + (int64_t)i};
        if (run->id)
            rc = read_run(store, wish, run, err);
        if (rc)
            return rc;
        ret->runs_len += run->id != 0;
    }
    return RC_OK;
}

/* Of several, one look: each by itself would take and leave the database's locks. */
enum rc grant_read(struct store *store, const struct wish *wish, const struct grants *g,
    struct exchange_answer *ret, struct err *err)
{
    const bool is_many = g->len > 1;
    enum rc rc = is_many ? store->driver->snapshot(store->db, err) : RC_OK;
    if (rc == RC_OK)
        rc = read_runs(store, wish, g, ret, err);
    if (is_many)
        store->driver->rollback(store->db);
    return rc;
}

enum rc grant_is_likely(struct store *store, const struct wish *wish, bool *ret, struct err *err)
{
    struct pick best = {.lane = 0};
    enum rc rc = wish->is_repeat ? RC_OK : pick_run(store, wish, &best, err);
    *ret = wish->is_repeat || best.head.id != 0;
    return rc;
}

enum rc store_look_lanes(struct store *store, const int64_t *stage_ids, size_t len,
    struct lane_head *ret, struct err *err)
{
    CLEANUP(cleanup_ids) struct id_list paused = {0};
    enum rc rc = list_paused(store, &paused, err);
    for (size_t i = 0; rc == RC_OK && i < len; i++) {
        ret[i] = (struct lane_head){0};
        if (!has_id(&paused, stage_ids[i]))
            rc = look_lane(store, stage_ids[i], &ret[i], err);
    }
    return rc;
}
