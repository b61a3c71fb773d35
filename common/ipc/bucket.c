#include "common/ipc/bucket.h"

#include <limits.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/sys.h"

/* Stands in the word while the supervisor changes the other ones: nobody takes or gives meanwhile,
 * and no compare-and-swap that began before can succeed after. */
#define BEING_CHANGED (INT64_MIN + 0x5717)
#define SLOWER 10000                                     /* one part in so many */
#define TOLERANCE_MAX_NS (INT64_MAX / 4)                 /* 73 years */
#define HOLD_MAX_NS (INT64_C(31) * 24 * 3600 * NS_PER_S) /* further off: garbage */

/* One look: the word, and all that it is judged by. */
struct reading {
    int64_t word, tat; /* as found; as it counts */
    int64_t interval, tolerance;
    int64_t held_until; /* INT64_MIN: it is not */
    int64_t now;
};

struct bucket_rate bucket_rate_of(int64_t count, int64_t per_ms, int64_t burst)
{
    int64_t per_ns = per_ms * NS_PER_MS;
    per_ns += per_ns / SLOWER;
    return (struct bucket_rate){(per_ns + count - 1) / count, burst};
}

static int64_t tolerance_of(int64_t interval, int64_t burst)
{
    int64_t tolerance;
    bool is_over = __builtin_mul_overflow(interval, burst - 1, &tolerance);
    return is_over || tolerance > TOLERANCE_MAX_NS ? TOLERANCE_MAX_NS : tolerance;
}

static int64_t empty_word(const struct reading *r)
{
    return r->now + r->tolerance + r->interval;
}

/* The part that may be garbage. The word comes first, the clock last. */
static bool read_words(const struct bucket *b, struct reading *r)
{
    r->word = atomic_load(&b->tat_mono_ns);
    int64_t burst = atomic_load(&b->burst);
    int64_t changed = atomic_load(&b->changed_mono_ns);
    int64_t held = atomic_load(&b->held_until_mono_ns);
    r->interval = atomic_load(&b->interval_ns);
    if (r->word == BEING_CHANGED || r->interval <= 0 || r->interval > TOLERANCE_MAX_NS || burst < 1)
        return false;
    r->now = clock_mono_ns();
    r->tolerance = tolerance_of(r->interval, burst);
    bool is_held = held > 0 && (held <= r->now || held - r->now <= HOLD_MAX_NS);
    r->held_until = is_held ? held : INT64_MIN;
    r->tat = r->word < changed || r->word > empty_word(r) ? empty_word(r) : r->word;
    return true;
}

/* False: not this bucket (any more), or being changed. Garbage is repaired on the way. */
static bool read_bucket(const struct bucket_ref *ref, struct reading *r)
{
    struct bucket *b = ref->bucket;
    while (read_words(b, r)) {
        if (atomic_load(&b->id) != ref->id)
            return false;
        if (r->tat == r->word ||
            atomic_compare_exchange_strong(&b->tat_mono_ns, &r->word, r->tat)) {
            r->word = r->tat;
            return true;
        }
    }
    return false;
}

bool bucket_find(struct bucket *buckets, const char *name, struct bucket_ref *ret)
{
    for (size_t i = 0; i < BUCKETS_MAX; i++) {
        uint32_t id = atomic_load(&buckets[i].id);
        if (id == 0 || strncmp(buckets[i].name, name, BUCKET_NAME_MAX) != 0)
            continue;
        *ret = (struct bucket_ref){&buckets[i], id};
        return atomic_load(&buckets[i].id) == id; /* else the name was not its */
    }
    return false;
}

static double level_of(const struct reading *r)
{
    double room = (double)(r->now - r->tat) + (double)r->tolerance + (double)r->interval;
    double full = (double)(r->tolerance / r->interval + 1);
    double level = room / (double)r->interval;
    return level < 0 ? 0 : level > full ? full : level;
}

double bucket_level(const struct bucket_ref *ref)
{
    struct reading r;
    return read_bucket(ref, &r) ? level_of(&r) : 0;
}

int64_t bucket_due_mono_ns(const struct bucket_ref *ref, int64_t k)
{
    struct reading r;
    if (!read_bucket(ref, &r))
        return INT64_MAX;
    int64_t due = r.tat - r.tolerance, later;
    if (__builtin_mul_overflow(k - 1, r.interval, &later) ||
        __builtin_add_overflow(due, later, &due))
        return INT64_MAX;
    return due > r.held_until ? due : r.held_until;
}

void bucket_ring(struct bucket *b)
{
    atomic_fetch_add(&b->bell, 1);
    sys_futex_wake(&b->bell, INT_MAX);
}

static int64_t later_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* As of no earlier than this may a token be had. */
static int64_t earliest(const struct reading *r)
{
    return later_of(r->tat - r->tolerance, r->held_until);
}

bool bucket_is_open(const struct bucket_ref *ref, int64_t since_mono_ns, int64_t *ret_at_mono_ns)
{
    struct reading r;
    if (!read_bucket(ref, &r) || earliest(&r) > r.now)
        return false;
    int64_t since = later_of(since_mono_ns, r.now - BUCKET_LATE_NS);
    int64_t at = later_of(since < r.now ? since : r.now, earliest(&r));
    /* Up to the word it makes no difference: then the truth is best. */
    *ret_at_mono_ns = later_of(at, r.tat < r.now ? r.tat : r.now);
    return true;
}

bool bucket_take(const struct bucket_ref *ref, int64_t at_mono_ns)
{
    struct reading r;
    while (read_bucket(ref, &r)) {
        bool is_stale = at_mono_ns < r.now - 2 * BUCKET_LATE_NS; /* stopped on the way here */
        if (at_mono_ns < earliest(&r) || at_mono_ns > r.now || is_stale)
            return false;
        int64_t word = later_of(r.tat, at_mono_ns) + r.interval;
        if (atomic_compare_exchange_strong(&ref->bucket->tat_mono_ns, &r.word, word))
            return true;
    }
    return false;
}

void bucket_give_back(const struct bucket_ref *ref, int64_t at_mono_ns)
{
    struct reading r;
    while (read_bucket(ref, &r)) {
        int64_t left = r.interval - (r.now - at_mono_ns);
        if (left <= 0 || left > r.interval ||
            at_mono_ns < atomic_load(&ref->bucket->changed_mono_ns))
            return;
        if (atomic_compare_exchange_strong(&ref->bucket->tat_mono_ns, &r.word, r.tat - left))
            return;
    }
}

/* ---- the owner's ---- */

void bucket_set_level(struct bucket *b, double tokens)
{
    struct reading r;
    atomic_store(&b->tat_mono_ns, INT64_MAX); /* garbage: read as empty */
    if (!read_words(b, &r))
        return;
    double full = (double)(r.tolerance / r.interval + 1);
    double there = tokens < 0 ? 0 : tokens > full ? full : tokens;
    atomic_store(&b->tat_mono_ns, empty_word(&r) - (int64_t)(there * (double)r.interval));
}

static void set_rate(struct bucket *b, const struct bucket_rate *rate, double tokens)
{
    atomic_store(&b->tat_mono_ns, BEING_CHANGED);
    atomic_store(&b->changed_mono_ns, clock_mono_ns());
    atomic_store(&b->interval_ns, rate->interval_ns);
    atomic_store(&b->burst, rate->burst);
    bucket_set_level(b, tokens);
}

void bucket_open(struct bucket *b, uint32_t id, const char *name, const struct bucket_rate *rate)
{
    size_t len = strnlen(name, BUCKET_NAME_MAX);
    atomic_store(&b->tat_mono_ns, BEING_CHANGED);
    atomic_store(&b->held_until_mono_ns, 0);
    memset(b->name, 0, sizeof b->name);
    memcpy(b->name, name, len);
    atomic_store(&b->id, id);
    set_rate(b, rate, 0);
}

void bucket_tune(struct bucket *b, const struct bucket_rate *rate)
{
    struct bucket_ref ref = {b, atomic_load(&b->id)};
    if (atomic_load(&b->interval_ns) == rate->interval_ns && atomic_load(&b->burst) == rate->burst)
        return;
    set_rate(b, rate, bucket_level(&ref));
    bucket_ring(b);
}

void bucket_close(struct bucket *b)
{
    atomic_store(&b->tat_mono_ns, BEING_CHANGED);
    atomic_store(&b->id, 0);
    bucket_ring(b);
}

void bucket_hold(struct bucket *b, int64_t until_mono_ns)
{
    int64_t most = clock_mono_ns() + HOLD_MAX_NS;
    atomic_store(&b->held_until_mono_ns, until_mono_ns > most ? most : until_mono_ns);
    bucket_ring(b);
}
