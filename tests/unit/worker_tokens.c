/* What a worker takes before a wish, what it covers, what goes back, and how long it sleeps when a
 * bucket is empty. Intervals are hours: the time that the test takes means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "worker/tokens.h"

#define HOUR (3600 * NS_PER_S)
#define NEAR 0.01

enum { LANE_A, LANE_B, LANE_AB, LANE_FREE, LANES };

static char name_a[] = "a", name_b[] = "b", job_name[] = "j";
static struct resource_spec resources[] = {{.name = name_a}, {.name = name_b}};
static struct config config = {.resources = resources, .resources_len = 2};
static struct stage_spec specs[LANES] = {
    [LANE_A] = {.tuning = {.resources = {0}, .resources_len = 1}},
    [LANE_B] = {.tuning = {.resources = {1}, .resources_len = 1}},
    [LANE_AB] = {.tuning = {.resources = {0, 1}, .resources_len = 2}},
};
static struct catalog_stage stages[LANES];
static struct job_spec job_spec = {.name = job_name, .stages = specs, .stages_len = LANES};
static struct catalog_job job = {.id = 1, .spec = &job_spec, .stages = stages};
static struct catalog catalog = {.jobs = &job, .jobs_len = 1};

static struct life life;
static struct tokens tokens;
static struct bucket *bucket_a, *bucket_b;
static int64_t slept_until;
static size_t slept_words;

void life_sleep_on(struct life *l, const struct sys_futex *words, size_t len, int64_t until_mono_ns)
{
    assert_ptr_equal(words[0].word, &l->mem->wake);
    slept_until = until_mono_ns;
    slept_words = len;
}

static int setup(void **state)
{
    struct bucket_rate rate = {HOUR, 10};
    struct pool_mem *mem = NULL;
    int fd;
    (void)state;
    assert_int_equal(pool_mem_new(4, "1-2-test", &fd, &mem, NULL), RC_OK);
    (void)close(fd);
    life = (struct life){.mem = mem, .slot = &mem->slots[0]};
    for (int i = 0; i < 4; i++)
        atomic_store(&mem->slots[i].life, 10 + i);
    for (int i = 0; i < LANES; i++)
        stages[i] = (struct catalog_stage){.id = 100 + i, .spec = &specs[i], .job = &job};
    bucket_a = &mem->buckets[0];
    bucket_b = &mem->buckets[63];
    bucket_open(bucket_a, 1, name_a, &rate);
    bucket_open(bucket_b, 2, name_b, &rate);
    tokens_map(&tokens, &catalog, &config, mem);
    assert_true(tokens.is_paced);
    assert_int_equal(tokens.len, LANES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tokens_fini(&tokens);
    pool_mem_unmap(life.mem);
    return 0;
}

static void fill(double a, double b)
{
    bucket_set_level(bucket_a, a);
    bucket_set_level(bucket_b, b);
}

static void assert_levels(double a, double b)
{
    struct bucket_ref ref_a = {bucket_a, 1}, ref_b = {bucket_b, 2};
    assert_float_equal(bucket_level(&ref_a), a, NEAR);
    assert_float_equal(bucket_level(&ref_b), b, NEAR);
}

/* The ranks of the lanes' first runs; 0: the lane has none. */
static bool take(int64_t a, int64_t b, int64_t ab, int64_t free_)
{
    const int64_t ranks[LANES] = {a, b, ab, free_};
    for (int i = 0; i < LANES; i++)
        tokens.heads[i] = (struct lane_head){
            .id = ranks[i], .rank = ranks[i], .since_wall_ms = clock_wall_ms() + 1000};
    const uint32_t rooms[LANES] = {1, 1, 1, 1};
    return tokens_take(&tokens, &life, rooms, 0);
}

static void assert_covered(const char *lanes)
{
    char got[LANES + 1] = "";
    for (size_t i = 0; i < tokens.covered_len; i++)
        got[i] = "ABCF"[tokens.covered[i] - 100]; /* C: both */
    assert_string_equal(got, lanes);
}

static void test_choice(void **state)
{
    static const struct {
        double a, b;      /* tokens there */
        int64_t ranks[4]; /* of the lanes A, B, AB, free */
        bool has_work;
        const char *covered;
        double left_a, left_b;
    } rows[] = {
        {5, 5, {1, 2, 3, 4}, true, "AF", 4, 5},
        {5, 5, {2, 1, 3, 4}, true, "BF", 5, 4},
        {5, 5, {3, 2, 1, 4}, true, "ABCF", 4, 4},
        {5, 5, {4, 2, 3, 1}, true, "F", 5, 5},
        {5, 0.9, {3, 2, 1, 4}, true, "AF", 4, 0.9}, /* the best lane lacks b: nothing of a lost */
        {0.9, 5, {3, 2, 1, 4}, true, "BF", 0.9, 4},
        {0, 0, {3, 2, 1, 4}, true, "F", 0, 0},
        {0, 0, {3, 2, 1, 0}, false, "F", 0, 0},
        {5, 5, {0, 0, 0, 0}, false, "F", 5, 5},
        {5, 0, {0, 2, 1, 0}, false, "F", 5, 0},
        {1, 1, {0, 0, 1, 0}, true, "ABCF", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t *r = rows[i].ranks;
        fill(rows[i].a, rows[i].b);
        assert_int_equal(take(r[0], r[1], r[2], r[3]), rows[i].has_work);
        assert_covered(rows[i].covered);
        assert_levels(rows[i].left_a, rows[i].left_b);
        (void)tokens_settle(&tokens, &life, 0, 0);
        assert_levels(rows[i].a, rows[i].b);
    }
    (void)state;
}

static void test_settlement(void **state)
{
    static const struct {
        int64_t stage_id; /* claimed with a token of a and one of b in hand */
        bool is_in_vain;
        double left_a, left_b;
    } rows[] = {
        {100 + LANE_AB, false, 4, 4},
        {100 + LANE_A, false, 4, 5},
        {100 + LANE_B, false, 5, 4},
        {100 + LANE_FREE, false, 5, 5},
        {0, true, 5, 5},
        {999, false, 5, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fill(5, 5);
        assert_true(take(0, 0, 1, 0));
        assert_int_equal(tokens_settle(&tokens, &life, rows[i].stage_id, 1), rows[i].is_in_vain);
        assert_levels(rows[i].left_a, rows[i].left_b);
        assert_int_equal(tokens.held_len, 0);
    }
}

static void test_old_tokens_are_renewed(void **state)
{
    (void)state;
    fill(5, 5);
    assert_true(take(0, 0, 1, 0));
    int64_t before = tokens.at_mono_ns;
    assert_int_equal(tokens_renew(&tokens, &life), 1);
    assert_true(tokens.at_mono_ns > before);
    assert_int_equal(tokens.held_len, 2);
    assert_levels(4, 4);
    /* Others have had what came in since: none is left. */
    tokens.at_mono_ns -= HOUR / 2;
    bucket_set_level(bucket_a, 0.25);
    assert_int_equal(tokens_renew(&tokens, &life), 0);
    assert_int_equal(tokens.held_len, 0);
    assert_true(tokens_settle(&tokens, &life, 0, 0)); /* and that calls for another look */
    assert_false(tokens_settle(&tokens, &life, 0, 0));
}

static double sleep_hours(void)
{
    tokens_sleep(&tokens, &life, 0, INT64_MAX);
    return (double)(slept_until - clock_mono_ns()) / (double)HOUR;
}

static void another_sleeps(int slot, int64_t since, uint64_t mask)
{
    atomic_store(&life.mem->slots[slot].sleeps_mono_ns, since);
    atomic_store(&life.mem->slots[slot].sleeps_at, mask);
}

static void test_first_sleeper_sleeps_until_the_next_token(void **state)
{
    (void)state;
    fill(0.25, 5);
    assert_false(take(1, 0, 0, 0));
    assert_false(tokens_are_due(&tokens));
    assert_float_equal(sleep_hours(), 0.75, NEAR);
    assert_int_equal(slept_words, 2);
    assert_true(atomic_load(&life.slot->sleeps_at) == 1);
    bucket_set_level(bucket_a, 1);
    assert_true(tokens_are_due(&tokens));
    assert_true(take(1, 0, 0, 0));
    assert_true(atomic_load(&life.slot->sleeps_at) == 0);
}

static void test_later_sleepers_sleep_until_later_tokens(void **state)
{
    int64_t before = clock_mono_ns() - HOUR, after = clock_mono_ns() + HOUR;
    (void)state;
    fill(0, 0);
    assert_false(take(1, 0, 0, 0));
    another_sleeps(1, before, 1);
    another_sleeps(2, before, 1 | UINT64_C(1) << 63);
    another_sleeps(3, after, 1);
    assert_float_equal(sleep_hours(), 3, NEAR);
    atomic_store(&life.mem->slots[2].life, 0); /* died: not counted any more */
    assert_float_equal(sleep_hours(), 2, NEAR);
    another_sleeps(1, before, UINT64_C(1) << 63); /* sleeps elsewhere */
    assert_float_equal(sleep_hours(), 1, NEAR);
}

static void test_sleeps_until_any_lane_may_open(void **state)
{
    (void)state;
    fill(0.5, 0.25);
    assert_false(take(1, 0, 2, 0)); /* a in half an hour; both in three quarters */
    assert_float_equal(sleep_hours(), 0.5, NEAR);
    assert_int_equal(slept_words, 3);
    assert_true(atomic_load(&life.slot->sleeps_at) == (1 | UINT64_C(1) << 63));
    assert_false(take(0, 0, 2, 0));
    assert_float_equal(sleep_hours(), 0.75, NEAR);
    fill(5, 0.25);
    assert_float_equal(sleep_hours(), 0.75, NEAR);
    assert_true(atomic_load(&life.slot->sleeps_at) == UINT64_C(1) << 63); /* only what is empty */
    bucket_hold(bucket_a, clock_mono_ns() + 2 * HOUR);
    assert_float_equal(sleep_hours(), 2, NEAR);
}

/* Somebody sleeps until the second token, because we wait for the first one. */
static void test_who_leaves_the_queue_rings(void **state)
{
    (void)state;
    fill(0, 0);
    assert_false(take(1, 0, 0, 0));
    (void)sleep_hours();
    another_sleeps(1, clock_mono_ns() + HOUR, 1);
    uint32_t bell = atomic_load(&bucket_a->bell);
    assert_true(take(1, 0, 0, 2)); /* work that takes no token */
    (void)tokens_settle(&tokens, &life, 100 + LANE_FREE, 1);
    assert_int_not_equal(atomic_load(&bucket_a->bell), bell);
    assert_true(atomic_load(&life.slot->sleeps_at) == 0);
    assert_false(tokens_are_due(&tokens));
    /* With its token in hand nobody needs to know. */
    assert_false(take(1, 0, 0, 0));
    (void)sleep_hours();
    bell = atomic_load(&bucket_a->bell);
    bucket_set_level(bucket_a, 1);
    assert_true(take(1, 0, 0, 0));
    assert_int_equal(atomic_load(&bucket_a->bell), bell);
    /* Given back: it is there for the next. */
    (void)tokens_settle(&tokens, &life, 0, 0);
    assert_int_not_equal(atomic_load(&bucket_a->bell), bell);
}

static void test_lane_without_its_bucket_is_closed(void **state)
{
    (void)state;
    fill(5, 5);
    bucket_close(bucket_b);
    assert_false(take(0, 1, 2, 0));
    assert_covered("F");
    assert_true(slept_until != 0);
    assert_true(sleep_hours() > 1000); /* until the bell, or another configuration */
    tokens_map(&tokens, &catalog, &config, life.mem);
    assert_false(take(0, 1, 2, 0));
    assert_true(take(3, 1, 2, 0));
    assert_covered("AF");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_choice),
        TEST(test_settlement),
        TEST(test_old_tokens_are_renewed),
        TEST(test_first_sleeper_sleeps_until_the_next_token),
        TEST(test_later_sleepers_sleep_until_later_tokens),
        TEST(test_sleeps_until_any_lane_may_open),
        TEST(test_who_leaves_the_queue_rings),
        TEST(test_lane_without_its_bucket_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
