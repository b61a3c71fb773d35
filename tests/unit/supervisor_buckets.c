/* Which buckets there are after a start and after each reload, and what becomes of their tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "supervisor/buckets.h"

#define HOUR_MS (3600 * 1000)

static struct pool_mem *mem;

static int setup(void **state)
{
    int fd;
    (void)state;
    assert_int_equal(pool_mem_new(2, "1-2-test", &fd, &mem, NULL), RC_OK);
    (void)close(fd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_mem_unmap(mem);
    return 0;
}

/* Resources n1, n2 … of so many tokens an hour; 0: not in the configuration. */
static void apply(int64_t n1, int64_t n2, int64_t n3)
{
    static char names[3][4] = {"n1", "n2", "n3"};
    const int64_t rates[] = {n1, n2, n3};
    struct resource_spec specs[3];
    struct config config = {.resources = specs};
    for (int i = 0; i < 3; i++) {
        if (rates[i] > 0)
            specs[config.resources_len++] = (struct resource_spec){
                .name = names[i], .rate_count = rates[i], .rate_per_ms = HOUR_MS, .burst = 10};
    }
    buckets_apply(mem, &config);
}

static struct bucket_ref find(const char *name)
{
    struct bucket_ref ref = {NULL, 0};
    (void)bucket_find(mem->buckets, name, &ref);
    return ref;
}

static int count(void)
{
    int n = 0;
    for (int i = 0; i < BUCKETS_MAX; i++)
        n += atomic_load(&mem->buckets[i].id) != 0;
    return n;
}

static void test_buckets_follow_the_configuration(void **state)
{
    (void)state;
    apply(1, 2, 0);
    assert_int_equal(count(), 2);
    struct bucket_ref one = find("n1"), two = find("n2");
    bucket_set_level(one.bucket, 3);
    bucket_set_level(two.bucket, 4);
    apply(1, 5, 7);
    assert_int_equal(count(), 3);
    assert_float_equal(bucket_level(&one), 3, 0.01);
    assert_float_equal(bucket_level(&two), 4, 0.01);
    struct bucket_ref three = find("n3");
    assert_float_equal(bucket_level(&three), 0, 0.01);
    int64_t until = bucket_due_mono_ns(&three, 1) - clock_mono_ns();
    assert_true(until > HOUR_MS / 8 * NS_PER_MS && until < HOUR_MS / 6 * NS_PER_MS);
}

/* The place may be the same; whoever knows the old bucket gets nothing. */
static void test_place_goes_to_another(void **state)
{
    (void)state;
    apply(1, 0, 0);
    struct bucket_ref old = find("n1");
    bucket_set_level(old.bucket, 5);
    apply(0, 1, 0);
    assert_int_equal(count(), 1);
    struct bucket_ref now = find("n2");
    assert_ptr_equal(find("n1").bucket, NULL);
    assert_float_equal(bucket_level(&old), 0, 0.01);
    bucket_set_level(now.bucket, 5);
    int64_t at;
    assert_false(bucket_is_open(&old, INT64_MAX, &at));
    assert_false(bucket_take(&old, clock_mono_ns()));
    apply(1, 0, 0); /* the name is back, its tokens are not */
    struct bucket_ref again = find("n1");
    assert_float_equal(bucket_level(&again), 0, 0.01);
    assert_float_equal(bucket_level(&old), 0, 0.01);
}

static void test_as_many_as_a_configuration_may_have(void **state)
{
    static char names[RESOURCES_MAX][8];
    struct resource_spec specs[RESOURCES_MAX];
    struct config config = {.resources = specs, .resources_len = RESOURCES_MAX};
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < RESOURCES_MAX; i++) {
            (void)snprintf(names[i], sizeof names[i], "%c%d", 'a' + turn, i);
            specs[i] = (struct resource_spec){
                .name = names[i], .rate_count = 1, .rate_per_ms = 1000, .burst = 1};
        }
        buckets_apply(mem, &config);
        assert_int_equal(count(), RESOURCES_MAX);
    }
}

static void test_death_of_a_sleeper_rings(void **state)
{
    struct slot *slot = &mem->slots[1];
    (void)state;
    apply(1, 1, 1);
    struct bucket *one = find("n1").bucket, *two = find("n2").bucket;
    uint32_t bell_one = atomic_load(&one->bell), bell_two = atomic_load(&two->bell);
    atomic_store(&slot->sleeps_at, UINT64_C(1) << (two - mem->buckets));
    buckets_forget_sleeper(mem, slot);
    assert_int_equal(atomic_load(&one->bell), bell_one);
    assert_int_not_equal(atomic_load(&two->bell), bell_two);
    assert_true(atomic_load(&slot->sleeps_at) == 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_buckets_follow_the_configuration),
        TEST(test_place_goes_to_another),
        TEST(test_as_many_as_a_configuration_may_have),
        TEST(test_death_of_a_sleeper_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
