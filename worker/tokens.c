#include "worker/tokens.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

static size_t place_of(const struct life *life, const struct bucket_ref *ref)
{
    return (size_t)(ref->bucket - life->mem->buckets);
}

/* ---- lanes ---- */

static void map_lane(struct paced_lane *lane, const struct catalog_stage *stage,
    const struct config *config, struct pool_mem *mem)
{
    const struct stage_tuning *tuning = &stage->spec->tuning;
    *lane = (struct paced_lane){.stage_id = stage->id};
    for (size_t i = 0; i < tuning->resources_len; i++) {
        const char *name = config->resources[tuning->resources[i]].name;
        if (bucket_find(mem->buckets, name, &lane->buckets[lane->buckets_len]))
            lane->buckets_len++;
        else
            lane->is_lacking = true;
    }
}

void tokens_map(struct tokens *t, const struct catalog *catalog, const struct config *config,
    struct pool_mem *mem)
{
    tokens_fini(t);
    for (size_t i = 0; i < catalog->jobs_len; i++)
        t->len += catalog->jobs[i].spec->stages_len;
    t->lanes = xcalloc(t->len, sizeof(*t->lanes));
    t->heads = xcalloc(t->len, sizeof(*t->heads));
    t->covered = xcalloc(t->len, sizeof(*t->covered));
    t->covered_rooms = xcalloc(t->len, sizeof(*t->covered_rooms));
    size_t n = 0;
    for (size_t i = 0; i < catalog->jobs_len; i++) {
        for (size_t k = 0; k < catalog->jobs[i].spec->stages_len; k++)
            map_lane(&t->lanes[n++], &catalog->jobs[i].stages[k], config, mem);
    }
    for (size_t i = 0; i < t->len; i++)
        t->is_paced = t->is_paced || t->lanes[i].buckets_len > 0 || t->lanes[i].is_lacking;
}

void tokens_fini(struct tokens *t)
{
    free(t->lanes);
    free(t->heads);
    free(t->covered);
    free(t->covered_rooms);
    *t = (struct tokens){0};
}

/* Whether every bucket of the lane has a token, and as of when all of them can be had by work that
 * has waited since then. */
static bool is_open(const struct paced_lane *lane, int64_t since_mono_ns, int64_t *ret_at)
{
    int64_t latest = INT64_MIN;
    if (lane->is_lacking)
        return false;
    for (size_t i = 0; i < lane->buckets_len; i++) {
        int64_t at;
        if (!bucket_is_open(&lane->buckets[i], since_mono_ns, &at))
            return false;
        latest = at > latest ? at : latest;
    }
    *ret_at = latest;
    return true;
}

static bool is_unpaced(const struct paced_lane *lane)
{
    return lane->buckets_len == 0 && !lane->is_lacking;
}

/* ---- the queue at a bucket ---- */

static uint64_t held_mask(const struct tokens *t, const struct life *life)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < t->held_len; i++)
        mask |= UINT64_C(1) << place_of(life, &t->held[i]);
    return mask;
}

/* Whoever came after us to a bucket of which we take nothing has counted on us to take the next
 * token. */
static void leave_queue(const struct tokens *t, struct life *life)
{
    uint64_t mask = atomic_exchange(&life->slot->sleeps_at, 0) & ~held_mask(t, life);
    for (size_t place = 0; mask != 0; place++, mask >>= 1) {
        if ((mask & 1) != 0 && pool_sleepers(life->mem, place, NULL) > 0)
            bucket_ring(&life->mem->buckets[place]);
    }
}

static void join_queue(struct life *life, uint64_t mask)
{
    if (atomic_load(&life->slot->sleeps_at) == 0)
        atomic_store(&life->slot->sleeps_mono_ns, clock_mono_ns());
    atomic_store(&life->slot->sleeps_at, mask);
}

static uint64_t empty_buckets(const struct tokens *t, const struct life *life)
{
    uint64_t mask = 0;
    int64_t now = clock_mono_ns();
    for (size_t i = 0; i < t->len; i++) {
        for (size_t k = 0; t->lanes[i].is_waiting && k < t->lanes[i].buckets_len; k++) {
            const struct bucket_ref *ref = &t->lanes[i].buckets[k];
            if (bucket_due_mono_ns(ref, 1) > now)
                mask |= UINT64_C(1) << place_of(life, ref);
        }
    }
    return mask;
}

/* When each bucket of the lane has a token for us after those who came before. */
static int64_t lane_due(const struct paced_lane *lane, const struct life *life)
{
    int64_t latest = lane->is_lacking ? INT64_MAX : INT64_MIN;
    for (size_t i = 0; i < lane->buckets_len; i++) {
        const struct bucket_ref *ref = &lane->buckets[i];
        int before = pool_sleepers(life->mem, place_of(life, ref), life->slot);
        int64_t due = bucket_due_mono_ns(ref, 1 + before);
        latest = due > latest ? due : latest;
    }
    return latest;
}

/* Their bells, as they are before we look at the buckets; each once. */
static size_t hear_bells(const struct tokens *t, const struct life *life, struct sys_futex *words)
{
    uint64_t heard = 0;
    size_t n = 0;
    for (size_t i = 0; i < t->len; i++) {
        for (size_t k = 0; t->lanes[i].is_waiting && k < t->lanes[i].buckets_len; k++) {
            struct bucket *b = t->lanes[i].buckets[k].bucket;
            uint64_t bit = UINT64_C(1) << place_of(life, &t->lanes[i].buckets[k]);
            if ((heard & bit) == 0)
                words[n++] = (struct sys_futex){&b->bell, atomic_load(&b->bell)};
            heard |= bit;
        }
    }
    return n;
}

bool tokens_are_due(const struct tokens *t)
{
    int64_t at;
    for (size_t i = 0; i < t->len; i++) {
        if (t->lanes[i].is_waiting && is_open(&t->lanes[i], INT64_MAX, &at))
            return true;
    }
    return false;
}

void tokens_sleep(struct tokens *t, struct life *life, uint32_t seen, int64_t until_mono_ns)
{
    struct sys_futex words[1 + BUCKETS_MAX] = {{&life->mem->wake, seen}};
    static_assert(1 + BUCKETS_MAX <= SYS_FUTEX_WORDS_MAX, "all words fit into one sleep");
    size_t len = 1 + hear_bells(t, life, words + 1);
    int64_t until = until_mono_ns;
    join_queue(life, empty_buckets(t, life));
    for (size_t i = 0; i < t->len; i++) {
        int64_t due = t->lanes[i].is_waiting ? lane_due(&t->lanes[i], life) : INT64_MAX;
        until = due < until ? due : until;
    }
    life_sleep_on(life, words, len, until);
}

int64_t tokens_due_mono_ns(const struct tokens *t, const struct life *life)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < t->len; i++) {
        int64_t due = t->lanes[i].is_waiting ? lane_due(&t->lanes[i], life) : INT64_MAX;
        first = due < first ? due : first;
    }
    return first < INT64_MAX ? first : 0;
}

/* ---- taking ---- */

static void give_back(const struct tokens *t, struct life *life, size_t i, size_t n)
{
    const struct bucket_ref *ref = &t->held[i];
    for (size_t k = 0; k < n; k++)
        bucket_give_back(ref, t->at_mono_ns);
    if (n > 0 && pool_sleepers(life->mem, place_of(life, ref), NULL) > 0)
        bucket_ring(ref->bucket);
}

static void drop_all(struct tokens *t, struct life *life)
{
    for (size_t i = 0; i < t->held_len; i++)
        give_back(t, life, i, t->sets);
    t->held_len = t->sets = 0;
}

/* One more of each, as of the same moment as the first; none, or all. */
static bool take_set(struct tokens *t, const struct paced_lane *lane)
{
    for (size_t i = 0; i < lane->buckets_len; i++) {
        if (bucket_take(&lane->buckets[i], t->at_mono_ns))
            continue;
        while (i-- > 0)
            bucket_give_back(&lane->buckets[i], t->at_mono_ns);
        return false;
    }
    return true;
}

static bool take_all(
    struct tokens *t, const struct paced_lane *lane, int64_t since_mono_ns, size_t sets)
{
    if (!is_open(lane, since_mono_ns, &t->at_mono_ns) || !take_set(t, lane))
        return false;
    t->held_len = lane->buckets_len;
    for (size_t i = 0; i < lane->buckets_len; i++)
        t->held[i] = lane->buckets[i];
    for (t->sets = 1; t->sets < sets && take_set(t, lane);)
        t->sets++;
    return true;
}

static bool is_held(const struct tokens *t, const struct bucket_ref *ref)
{
    for (size_t i = 0; i < t->held_len; i++) {
        if (t->held[i].bucket == ref->bucket)
            return true;
    }
    return false;
}

static void cover(struct tokens *t, const uint32_t *rooms)
{
    t->covered_len = 0;
    for (size_t i = 0; i < t->len; i++) {
        const struct paced_lane *lane = &t->lanes[i];
        bool is_covered = !lane->is_lacking;
        for (size_t k = 0; k < lane->buckets_len; k++)
            is_covered = is_covered && is_held(t, &lane->buckets[k]);
        if (!is_covered || rooms[i] == 0)
            continue;
        bool is_paid = lane->buckets_len > 0 && t->sets < rooms[i];
        t->covered_rooms[t->covered_len] = is_paid ? (uint32_t)t->sets : rooms[i];
        t->covered[t->covered_len++] = lane->stage_id;
    }
}

/* The best head that was not tried yet; len: none. A head that was tried loses its id. */
static size_t best_lane(const struct tokens *t)
{
    size_t best = t->len;
    for (size_t i = 0; i < t->len; i++) {
        if (t->heads[i].id != 0 &&
            (best == t->len || lane_head_precedes(&t->heads[i], &t->heads[best])))
            best = i;
    }
    return best;
}

/* Rounded up: no work has waited before it was there. */
static int64_t waits_since(const struct lane_head *head)
{
    int64_t waited_ms = clock_wall_ms() - head->since_wall_ms - 1;
    return clock_mono_ns() - (waited_ms > 0 ? waited_ms : 0) * NS_PER_MS;
}

bool tokens_take(struct tokens *t, struct life *life, const uint32_t *rooms, int64_t favoured)
{
    size_t i;
    for (i = 0; i < t->len; i++) {
        t->lanes[i].is_waiting = false;
        if (rooms[i] == 0)
            t->heads[i].id = 0;
        if (t->lanes[i].stage_id == favoured)
            t->heads[i].rank -= FAVOUR_MS;
    }
    while ((i = best_lane(t)) < t->len) {
        struct paced_lane *lane = &t->lanes[i];
        if (is_unpaced(lane) || take_all(t, lane, waits_since(&t->heads[i]), rooms[i]))
            break;
        lane->is_waiting = true;
        t->heads[i].id = 0;
    }
    t->has_taken = t->held_len > 0;
    if (t->has_taken)
        leave_queue(t, life);
    cover(t, rooms);
    return i < t->len;
}

size_t tokens_renew(struct tokens *t, struct life *life)
{
    struct paced_lane same = {.buckets_len = t->held_len};
    size_t sets = t->sets;
    for (size_t i = 0; i < t->held_len; i++)
        same.buckets[i] = t->held[i];
    drop_all(t, life);
    return take_all(t, &same, INT64_MAX, sets) ? t->sets : 0;
}

static bool is_of_lane(const struct tokens *t, const struct bucket_ref *ref, int64_t stage_id)
{
    for (size_t i = 0; i < t->len; i++) {
        for (size_t k = 0; t->lanes[i].stage_id == stage_id && k < t->lanes[i].buckets_len; k++) {
            if (t->lanes[i].buckets[k].bucket == ref->bucket)
                return true;
        }
    }
    return false;
}

bool tokens_settle(struct tokens *t, struct life *life, int64_t stage_id, size_t claims)
{
    bool is_in_vain = t->has_taken && stage_id == 0;
    for (size_t i = 0; i < t->held_len; i++) {
        size_t used = is_of_lane(t, &t->held[i], stage_id) ? claims : 0;
        give_back(t, life, i, t->sets > used ? t->sets - used : 0);
    }
    t->held_len = t->sets = 0;
    t->has_taken = false;
    if (stage_id != 0)
        tokens_forget(t, life);
    return is_in_vain;
}

void tokens_forget(struct tokens *t, struct life *life)
{
    for (size_t i = 0; i < t->len; i++)
        t->lanes[i].is_waiting = false;
    leave_queue(t, life);
}
