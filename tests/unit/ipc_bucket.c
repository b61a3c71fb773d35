/* The token bucket by its formula: what a word allows, what changes it, what garbage counts as. The
 * intervals are hours, so that the time a test takes means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/ipc/bucket.h"

#define HOUR (3600 * NS_PER_S)
#define NEAR 0.01 /* of a token: half a minute of hours */

static struct bucket places[BUCKETS_MAX];
static struct bucket *const b = &places[3];
static struct bucket_ref ref;

static void open_with(int64_t burst)
{
    struct bucket_rate rate = {HOUR, burst};
    memset(places, 0, sizeof places);
    bucket_open(b, 7, "api", &rate);
    atomic_store(&b->changed_mono_ns, clock_mono_ns() - 1000 * HOUR); /* long ago */
    assert_true(bucket_find(places, "api", &ref));
    assert_ptr_equal(ref.bucket, b);
}

static void set_word(double hours_from_now)
{
    atomic_store(&b->tat_mono_ns, clock_mono_ns() + (int64_t)(hours_from_now * (double)HOUR));
}

static void assert_near(double is, double should)
{
    if (is < should - NEAR || is > should + NEAR)
        fail_msg("%f is not near %f", is, should);
}

static double due_hours(int64_t k)
{
    return (double)(bucket_due_mono_ns(&ref, k) - clock_mono_ns()) / (double)HOUR;
}

/* Takes as of now (nobody waited). */
static bool take(int64_t *ret_at)
{
    return bucket_is_open(&ref, INT64_MAX, ret_at) && bucket_take(&ref, *ret_at);
}

static int count_takes(void)
{
    int64_t at;
    int n = 0;
    while (take(&at))
        n++;
    return n;
}

static void test_rates(void **state)
{
    (void)state;
    /* A ten-thousandth more than exact, rounded up: never faster than asked. */
    assert_int_equal(bucket_rate_of(200, 1000, 1).interval_ns, 5000500);
    assert_int_equal(bucket_rate_of(3, 1000, 1).interval_ns, 333366667);
    assert_int_equal(bucket_rate_of(1, 86400000, 1).interval_ns, 86408640000000);
    assert_int_equal(bucket_rate_of(1000000, 1000, 1).interval_ns, 1001);
}

static void test_new_bucket_is_empty(void **state)
{
    (void)state;
    for (int64_t burst = 1; burst <= 1000000; burst *= 10) {
        open_with(burst);
        assert_near(bucket_level(&ref), 0);
        assert_int_equal(count_takes(), 0);
        assert_near(due_hours(1), 1);
        assert_near(due_hours(3), 3);
    }
}

static void test_words(void **state)
{
    static const struct {
        int64_t burst;
        double word; /* hours from now */
        double level;
        int takes;
        double due; /* the next, in hours; negative: it is there */
    } rows[] = {
        {1, 1.00, 0.0, 0, 1.0},
        {1, 0.50, 0.5, 0, 0.5},
        {1, -0.01, 1.0, 1, -0.01},
        {1, -500, 1.0, 1, -500},
        {10, 10.0, 0.0, 0, 1.0},
        {10, 9.50, 0.5, 0, 0.5},
        {10, 8.99, 1.01, 1, -0.01},
        {10, 7.50, 2.5, 2, -1.5},
        {10, 0.00, 10, 10, -9},
        {10, -500, 10, 10, -509},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_with(rows[i].burst);
        set_word(rows[i].word);
        assert_near(bucket_level(&ref), rows[i].level);
        assert_near(due_hours(1), rows[i].due);
        assert_near(due_hours(4), rows[i].due + 3);
        assert_int_equal(count_takes(), rows[i].takes);
        assert_near(bucket_level(&ref), rows[i].level - rows[i].takes);
    }
}

/* Empty, never full; and it goes on from there. */
static void test_garbage_counts_as_empty(void **state)
{
    static const int64_t rows[] = {0, 1, -1, INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
        0x5555555555555555, (int64_t)0xaaaaaaaaaaaaaaaa, 0x7f, (int64_t)0xff00000000000000};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_with(5);
        atomic_store(&b->changed_mono_ns, clock_mono_ns());
        atomic_store(&b->tat_mono_ns, rows[i]);
        assert_int_equal(count_takes(), 0);
        assert_near(bucket_level(&ref), 0);
        assert_near(due_hours(1), 1);
        assert_int_not_equal(atomic_load(&b->tat_mono_ns), rows[i]); /* repaired */
    }
}

static void test_garbage_beside_the_word_gives_nothing(void **state)
{
    static const int64_t intervals[] = {0, -1, INT64_MIN, INT64_MAX, HOUR, HOUR};
    static const int64_t bursts[] = {5, 5, 5, 5, 0, INT64_MIN};
    (void)state;
    for (size_t i = 0; i < sizeof bursts / sizeof bursts[0]; i++) {
        open_with(5);
        set_word(0);
        atomic_store(&b->interval_ns, intervals[i]);
        atomic_store(&b->burst, bursts[i]);
        assert_int_equal(count_takes(), 0);
        assert_true(bucket_due_mono_ns(&ref, 1) == INT64_MAX);
    }
    open_with(INT64_MAX); /* a burst that no word can hold: as many as fit */
    assert_near(bucket_level(&ref), 0);
    assert_near(due_hours(1), 1);
}

static void test_given_back(void **state)
{
    int64_t one, two, three;
    (void)state;
    open_with(5);
    set_word(3.5); /* 1.5 there */
    assert_true(take(&one));
    assert_false(take(&two));
    bucket_give_back(&ref, one);
    assert_near(bucket_level(&ref), 1.5);
    set_word(1.5); /* 3.5: in any order */
    assert_true(take(&one));
    assert_true(take(&two));
    assert_true(take(&three));
    bucket_give_back(&ref, two);
    bucket_give_back(&ref, one);
    bucket_give_back(&ref, three);
    assert_near(bucket_level(&ref), 3.5);
}

static void test_given_back_never_over_the_burst(void **state)
{
    int64_t at;
    (void)state;
    open_with(1);
    set_word(-100);
    assert_true(take(&at));
    bucket_give_back(&ref, at);
    assert_near(bucket_level(&ref), 1);
    bucket_give_back(&ref, at);
    assert_near(bucket_level(&ref), 1);
}

/* What came in since it was taken, others may have had because of the room that it left. */
static void test_given_back_late_is_worth_less(void **state)
{
    static const struct {
        double hours_ago, left;
    } rows[] = {{0, 1}, {0.25, 0.75}, {0.9, 0.1}, {1, 0}, {1.5, 0}, {500, 0}, {-1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_with(5);
        set_word(3); /* 2 there */
        bucket_give_back(&ref, clock_mono_ns() - (int64_t)(rows[i].hours_ago * (double)HOUR) - 1);
        assert_near(bucket_level(&ref), 2 + rows[i].left);
    }
}

static void test_moment_of_a_token(void **state)
{
    int64_t at, now = clock_mono_ns();
    struct bucket_rate fast = {NS_PER_MS, 1};
    (void)state;
    /* Work came late to a full bucket: now. */
    open_with(1);
    set_word(-100);
    assert_true(bucket_is_open(&ref, INT64_MAX, &at));
    assert_true(at >= now);
    /* Who has waited since before it was due: as of when it was due. */
    open_with(1);
    bucket_tune(b, &fast);
    atomic_store(&b->changed_mono_ns, clock_mono_ns() - 1000 * HOUR);
    now = clock_mono_ns();
    atomic_store(&b->tat_mono_ns, now - BUCKET_LATE_NS / 5);
    assert_true(bucket_is_open(&ref, now - HOUR, &at));
    assert_int_equal(at, now - BUCKET_LATE_NS / 5);
    /* Who has waited since after it was due: as of then. */
    assert_true(bucket_is_open(&ref, now - BUCKET_LATE_NS / 10, &at));
    assert_int_equal(at, now - BUCKET_LATE_NS / 10);
    /* With room in the bucket nothing is lost by lateness: now. */
    open_with(10);
    set_word(5);
    now = clock_mono_ns();
    assert_true(bucket_is_open(&ref, now - HOUR, &at));
    assert_true(at >= now);
    /* No more than so late, and only as of when there was a token. */
    open_with(1);
    set_word(-100);
    now = clock_mono_ns();
    assert_true(bucket_is_open(&ref, now - HOUR, &at));
    assert_true(at >= now - BUCKET_LATE_NS);
    assert_false(bucket_take(&ref, now - HOUR));
    assert_false(bucket_take(&ref, now + HOUR));
}

static void test_hold(void **state)
{
    int64_t now = clock_mono_ns();
    (void)state;
    open_with(3);
    set_word(0);
    uint32_t bell = atomic_load(&b->bell);
    bucket_hold(b, now + 2 * HOUR);
    assert_int_not_equal(atomic_load(&b->bell), bell);
    assert_int_equal(count_takes(), 0);
    assert_near(due_hours(1), 2);
    assert_near(due_hours(9), 6);
    assert_near(bucket_level(&ref), 3);
    bucket_hold(b, 0);
    assert_int_equal(count_takes(), 3);
    set_word(0);
    bucket_hold(b, now - HOUR);
    assert_int_equal(count_takes(), 3);
    set_word(0);
    bucket_hold(b, INT64_MAX); /* clamped to a month */
    assert_int_equal(count_takes(), 0);
    assert_near(due_hours(1), 31 * 24);
    atomic_store(&b->held_until_mono_ns, INT64_MAX); /* garbage */
    assert_int_equal(count_takes(), 3);
}

static void test_new_rate_keeps_the_level(void **state)
{
    struct bucket_rate slow = {24 * HOUR, 8}, small = {HOUR, 2};
    (void)state;
    open_with(5);
    set_word(1.75); /* 3.25 there */
    uint32_t bell = atomic_load(&b->bell);
    bucket_tune(b, &slow);
    assert_near(bucket_level(&ref), 3.25);
    assert_near(due_hours(1), -2.25 * 24);
    assert_int_not_equal(atomic_load(&b->bell), bell);
    bucket_tune(b, &small);
    assert_near(bucket_level(&ref), 2);
    bell = atomic_load(&b->bell);
    int64_t word = atomic_load(&b->tat_mono_ns);
    bucket_tune(b, &small); /* nothing new: nothing happens */
    assert_int_equal(atomic_load(&b->tat_mono_ns), word);
    assert_int_equal(atomic_load(&b->bell), bell);
}

static void test_token_of_another_rate_is_not_given_back(void **state)
{
    struct bucket_rate fast = {HOUR / 60, 5};
    int64_t at;
    (void)state;
    open_with(5);
    set_word(2.5);
    assert_true(take(&at));
    bucket_tune(b, &fast);
    double level = bucket_level(&ref);
    bucket_give_back(&ref, at);
    assert_near(bucket_level(&ref), level);
}

static void test_place_of_another(void **state)
{
    struct bucket_rate rate = {HOUR, 5};
    struct bucket_ref old;
    int64_t at, other;
    (void)state;
    open_with(5);
    set_word(0);
    old = ref;
    assert_true(take(&at));
    bucket_close(b);
    assert_false(bucket_find(places, "api", &ref));
    assert_false(bucket_is_open(&old, 0, &other));
    bucket_open(b, 8, "other", &rate);
    atomic_store(&b->changed_mono_ns, clock_mono_ns() - 1000 * HOUR);
    assert_true(bucket_find(places, "other", &ref));
    set_word(2.5);
    assert_false(bucket_is_open(&old, 0, &other));
    assert_false(bucket_take(&old, clock_mono_ns()));
    bucket_give_back(&old, at);
    assert_near(bucket_level(&ref), 2.5);
    assert_near(bucket_level(&old), 0);
    assert_true(bucket_due_mono_ns(&old, 1) == INT64_MAX);
}

static void test_level_that_was_saved(void **state)
{
    (void)state;
    open_with(5);
    for (double level = -2; level < 8; level += 0.5) {
        double should = level < 0 ? 0 : level > 5 ? 5 : level;
        bucket_set_level(b, level);
        assert_near(bucket_level(&ref), should);
    }
}

static void test_names(void **state)
{
    char full[BUCKET_NAME_MAX + 1];
    struct bucket_rate rate = {HOUR, 1};
    (void)state;
    open_with(1);
    memset(full, 'x', BUCKET_NAME_MAX);
    full[BUCKET_NAME_MAX] = '\0';
    bucket_open(&places[BUCKETS_MAX - 1], 9, full, &rate);
    assert_true(bucket_find(places, full, &ref));
    assert_int_equal(ref.id, 9);
    full[BUCKET_NAME_MAX - 1] = '\0';
    assert_false(bucket_find(places, full, &ref));
    assert_false(bucket_find(places, "", &ref));
    assert_false(bucket_find(places, "ap", &ref));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_new_bucket_is_empty),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_garbage_counts_as_empty),
        cmocka_unit_test(test_garbage_beside_the_word_gives_nothing),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_given_back_never_over_the_burst),
        cmocka_unit_test(test_given_back_late_is_worth_less),
        cmocka_unit_test(test_moment_of_a_token),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_new_rate_keeps_the_level),
        cmocka_unit_test(test_token_of_another_rate_is_not_given_back),
        cmocka_unit_test(test_place_of_another),
        cmocka_unit_test(test_level_that_was_saved),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
