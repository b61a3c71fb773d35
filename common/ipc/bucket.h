/* bucket: a token bucket in the pool's memory, one a resource. A worker takes a token before a
 * claim and gives it back if no claim follows; the supervisor opens, tunes and closes buckets; the
 * keeper sets the level that a clean stop has saved. No locks: one word is changed by
 * compare-and-swap and is valid after SIGKILL at any instruction. Never sleeps, never logs, knows
 * no configuration.
 *
 * The word is the theoretical arrival time (TAT) of the generic cell rate algorithm, in its virtual
 * scheduling form (ITU-T I.371 annex A; ATM Forum TM 4.0 section 4.4.2), in ns of CLOCK_MONOTONIC.
 * With T = interval_ns, B = burst and the tolerance L = (B − 1) T:
 *     a token may be had as of a moment t when   t >= TAT − L
 *     it makes                                   TAT := max(TAT, t) + T
 *     tokens there at t, fractions included      (t + L + T − TAT) / T, from 0 to B
 * So in every stretch of d ns at most d / T + B moments lie, in whatever order the words changed:
 * after the first one of a stretch TAT is at least T later than it, each further one adds T, and
 * the last one found TAT − L behind it. given back after a while e                 TAT := TAT − (T
 * − e), if e < T What others took meanwhile may have found the bucket fuller without this token,
 * but by no more than what came in since: so much of the token is lost, and the bound holds without
 * it. The word is loaded first and the clock read afterwards: then a process that was stopped
 * between the two sees too late a clock, never a word from the future. A word that lies before the
 * bucket was opened or tuned, or further in the future than an empty bucket's, is garbage: it
 * counts as empty and is repaired as such.
 *
 * A token carries the moment as of which it was taken, and that is what started_at of its claim
 * says. Usually it is now. For work that was waiting when the token fell due it is then, if that is
 * no longer ago than BUCKET_LATE_NS: else every lateness of whoever wakes up for it would be lost
 * to a burst of 1. */
#ifndef STINT_IPC_BUCKET_H
#define STINT_IPC_BUCKET_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUCKETS_MAX 64 /* places: a slot's mask of buckets is one word */
#define BUCKET_NAME_MAX 64
#define BUCKET_LATE_NS INT64_C(50000000) /* as of no earlier than so long ago */

struct bucket {
    /* Changed by CAS: workers, supervisor, keeper. */
    alignas(64) _Atomic int64_t tat_mono_ns;
    _Atomic int64_t held_until_mono_ns; /* no token before it; 0: not held */
    /* Writer: supervisor, while the word says that it is being changed. Readers: everyone. */
    _Atomic int64_t interval_ns;
    _Atomic int64_t burst;
    _Atomic int64_t changed_mono_ns; /* opened or tuned: what is older is garbage */
    _Atomic uint32_t id;             /* of the bucket in this place, never used twice; 0: free */
    _Atomic uint32_t bell; /* futex; bumped by whoever rings. Readers: those who wait here */
    int64_t reserved[2];
    char name[BUCKET_NAME_MAX]; /* ends in NUL unless it fills the room */
};
static_assert(sizeof(struct bucket) == 128, "a bucket is a pair of cache lines");
static_assert(offsetof(struct bucket, held_until_mono_ns) == 8 &&
                  offsetof(struct bucket, interval_ns) == 16 &&
                  offsetof(struct bucket, bell) == 44 && offsetof(struct bucket, name) == 64,
    "all words of a bucket lie in its first line");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "shared words need CAS");

/* A bucket as somebody knows it: when its place has gone to another, nothing more is had by it. */
struct bucket_ref {
    struct bucket *bucket;
    uint32_t id;
};

struct bucket_rate {
    int64_t interval_ns; /* from one token to the next */
    int64_t burst;
};

/* COUNT tokens in PER_MS. A ten-thousandth slower than asked, so that the rate also holds by a wall
 * clock that is just being slewed. */
struct bucket_rate bucket_rate_of(int64_t count, int64_t per_ms, int64_t burst);

/* ---- for everyone ---- */

/* buckets: BUCKETS_MAX of them. */
bool bucket_find(struct bucket *buckets, const char *name, struct bucket_ref *ret);
/* Tokens there now, fractions included, whether held or not; 0 when it is gone. */
double bucket_level(const struct bucket_ref *ref);
/* When the k-th token from now is due (1: the next), the hold taken into account; a time that has
 * passed: it is there. INT64_MAX: gone, or being changed (a ring follows). */
int64_t bucket_due_mono_ns(const struct bucket_ref *ref, int64_t k);
/* Wakes whoever sleeps at it: look again. */
void bucket_ring(struct bucket *b);

/* ---- worker ---- */

/* Whether a token can be had, and as of when, for work that has waited since then (now or later:
 * not at all). The moment is the newest that costs nothing. */
bool bucket_is_open(const struct bucket_ref *ref, int64_t since_mono_ns, int64_t *ret_at_mono_ns);
/* Takes a token as of that moment. False: there is none (any more). */
bool bucket_take(const struct bucket_ref *ref, int64_t at_mono_ns);
/* Gives a token back that was taken as of that moment and that no claim followed: what is left of
 * it; nothing when the bucket was changed since. */
void bucket_give_back(const struct bucket_ref *ref, int64_t at_mono_ns);

/* ---- supervisor, and the keeper before the first worker ---- */

/* Into a free place: empty, its first token an interval from now. */
void bucket_open(struct bucket *b, uint32_t id, const char *name, const struct bucket_rate *rate);
/* A new rate; as many tokens as before, but no more than the burst. Rings. */
void bucket_tune(struct bucket *b, const struct bucket_rate *rate);
/* Frees the place: it may be opened again at once. Rings. */
void bucket_close(struct bucket *b);
void bucket_set_level(struct bucket *b, double tokens);
/* Until then nobody gets a token; 0 or the past: lifted. Rings. */
void bucket_hold(struct bucket *b, int64_t until_mono_ns);

#endif
