/* The worker's main loop against a scripted store: what each exchange hands over and asks for, when
 * it is repeated, and when the worker leaves. */
#include "tests/unit/worker_cycle_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "worker/cycle.h"

static void test_claim_run_exchange(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .run_id = 6, .claimable = 2},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    uint32_t before = atomic_load(&w.life.mem->wake);
    PLAY(steps);
    assert_true(w.life.is_ready);
    assert_int_equal(atomic_load(&w.life.mem->wake), before + 2); /* one for claimable runs */
}

/* An exchange takes so long that quick runs are claimed by several. */
static void expect_slow_exchanges(void)
{
    paces[0] = (struct pace){NS_PER_MS, NS_PER_MS};
    w.exchange_ns = 10 * NS_PER_MS;
}

static void test_quick_ones_share_an_exchange(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .more = 2},
        {.cause = END_DONE, .done = 2, .has_wish = true, .claim_seq = 4, .flags = POOL_STOPPING},
    };
    (void)state;
    expect_slow_exchanges();
    PLAY(steps);
}

static void test_claimed_ahead_is_looked_at_again(void **state)
{
    static const struct step steps[] = {
        {.cause = -1,
            .has_wish = true,
            .claim_seq = 1,
            .run_id = 5,
            .more = 2,
            .flags = POOL_SUSPENDED},
        {.cause = END_DONE, .stopped = 2, .flags = POOL_STOPPING},
    };
    (void)state;
    expect_slow_exchanges();
    PLAY(steps);
}

static void test_called_between_two_runs(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .more = 1},
        {.cause = END_DONE, .stopped = 1, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    static const uint64_t order = WAKE_ORDER;
    (void)state;
    expect_slow_exchanges();
    assert_int_equal(dup2(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), FD_WAKE), FD_WAKE);
    assert_int_equal(write(FD_WAKE, &order, sizeof(order)), sizeof(order));
    PLAY(steps);
}

static void test_failed_exchange_is_repeated_as_it_was(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .rc = RC_BUSY},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .rc = RC_STORE},
        {.cause = END_DONE,
            .has_wish = true,
            .claim_seq = 2,
            .is_repeat = true,
            .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

/* A number that was asked for under a failure is never asked for again to claim: nobody knows what
 * became of the first time. */
static void test_repeated_wish_that_got_nothing_takes_a_new_number(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

static void test_refused_result_is_a_failure(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .rc = RC_LIMIT},
        {.cause = END_FAIL, .has_wish = true, .claim_seq = 2, .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

static void test_claimed_while_stopping_is_given_back(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .flags = POOL_STOPPING},
        {.cause = END_STOPPED},
    };
    (void)state;
    PLAY(steps);
}

static void test_last_outcome_is_repeated_while_stopping(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .order = SLOT_ORDER_RETIRE},
        {.cause = END_STOPPED, .rc = RC_STORE, .order = SLOT_ORDER_RETIRE},
        {.cause = END_STOPPED, .order = SLOT_ORDER_RETIRE},
    };
    (void)state;
    PLAY(steps);
}

static void test_no_exchange_when_told_to_leave(void **state)
{
    (void)state;
    atomic_store(&w.life.mem->flags, POOL_STOPPING | POOL_SUSPENDED);
    play(NULL, 0);
}

static void test_outdated_life_finishes_what_it_has_and_leaves(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .is_spec_changed = true},
        {.cause = END_DONE},
    };
    (void)state;
    PLAY(steps);
}

static void test_no_wish_under_another_spec(void **state)
{
    (void)state;
    atomic_store(&w.life.mem->spec_generation, 2);
    assert_false(life_may_claim(&w.life));
    w.life.spec_generation = 2;
    assert_true(life_may_claim(&w.life));
}

static void test_life_ends_with_its_numbers(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = CLAIM_SEQ_MAX - 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = CLAIM_SEQ_MAX, .run_id = 6},
        {.cause = END_DONE},
    };
    (void)state;
    w.life.claim_seq = CLAIM_SEQ_MAX - 2;
    PLAY(steps);
}

/* The lane takes a token of one bucket, which has so many; the next is due in hours. */
static struct bucket_ref pace(double tokens)
{
    static char api[] = "api";
    static struct resource_spec resource = {.name = api};
    static struct config config = {.resources = &resource, .resources_len = 1};
    static struct catalog catalog = {.jobs = &job, .jobs_len = 1};
    struct bucket_rate rate = {.interval_ns = 3600 * NS_PER_S, .burst = 5};
    struct bucket_ref ref;
    stage_spec.tuning.resources_len = 1;
    bucket_open(&w.life.mem->buckets[9], 3, api, &rate);
    bucket_set_level(&w.life.mem->buckets[9], tokens);
    tokens_map(&w.tokens, &catalog, &config, w.life.mem);
    stage_spec.tuning.resources_len = 0;
    assert_true(bucket_find(w.life.mem->buckets, api, &ref));
    return ref;
}

static void test_a_wish_costs_a_token(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .run_id = 6},
        {.cause = END_DONE, .has_wish = false, .flags = POOL_STOPPING}, /* half a token is none */
    };
    (void)state;
    struct bucket_ref ref = pace(2.5);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 0.5, 0.01);
}

static void test_token_without_a_claim_comes_back(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .is_repeat = true},
        {.cause = -1, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    struct bucket_ref ref = pace(1.5);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 1.5, 0.01);
}

static void test_claim_after_a_failure_costs_one_token(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .flags = POOL_STOPPING},
    };
    (void)state;
    struct bucket_ref ref = pace(3);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 2, 0.01);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_claim_run_exchange),
        TEST(test_quick_ones_share_an_exchange),
        TEST(test_claimed_ahead_is_looked_at_again),
        TEST(test_called_between_two_runs),
        TEST(test_failed_exchange_is_repeated_as_it_was),
        TEST(test_repeated_wish_that_got_nothing_takes_a_new_number),
        TEST(test_refused_result_is_a_failure),
        TEST(test_claimed_while_stopping_is_given_back),
        TEST(test_last_outcome_is_repeated_while_stopping),
        TEST(test_no_exchange_when_told_to_leave),
        TEST(test_life_ends_with_its_numbers),
        TEST(test_a_wish_costs_a_token),
        TEST(test_token_without_a_claim_comes_back),
        TEST(test_claim_after_a_failure_costs_one_token),
        TEST(test_outdated_life_finishes_what_it_has_and_leaves),
        TEST(test_no_wish_under_another_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
