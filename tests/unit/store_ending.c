/* The table of statuses, and what each end of an attempt does: pure arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/store/ending.h"

static const struct stage_tuning preset = {.max_attempts = 5,
    .backoff_base_ms = 60000,
    .backoff_max_ms = 3600000,
    .backoff_factor = 2.0,
    .jitter_pct = 30};

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        enum stage_status found = STATUS_COUNT;
        assert_true(status_parse(status_name((enum stage_status)i), &found));
        assert_int_equal(found, i);
    }
    enum stage_status untouched = STATUS_HELD;
    assert_false(status_parse("nonsense", &untouched));
    assert_int_equal(untouched, STATUS_HELD);
    assert_string_equal(status_name(STATUS_COUNT), "unknown");
}

static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++)
        assert_false(status_may_become((enum stage_status)i, (enum stage_status)i));
    assert_true(status_may_become(STATUS_PENDING, STATUS_IN_PROGRESS));
    assert_false(status_may_become(STATUS_PENDING, STATUS_DONE));
    assert_false(status_may_become(STATUS_PENDING, STATUS_RETRY_LATER));
    assert_false(status_may_become(STATUS_DONE, STATUS_IN_PROGRESS));
    assert_true(status_may_become(STATUS_DONE, STATUS_BLOCKED));
    assert_false(status_may_become(STATUS_BLOCKED, STATUS_IN_PROGRESS));
    assert_false(status_is_moving(STATUS_BLOCKED));
    assert_true(status_is_moving(STATUS_RETRY_LATER));
}

static void test_retry_delay(void **state)
{
    (void)state;
    static const struct {
        int64_t attempt, after_ms;
        uint64_t random;
        int64_t expected_ms;
    } rows[] = {
        {1, -1, 0, 60000},
        {2, -1, 0, 120000},
        {3, -1, 0, 240000},
        {6, -1, 0, 1920000},
        {7, -1, 0, 3600000}, /* 3,840 s: over the maximum */
        {1000000, -1, 0, 3600000},
        {1, 90000, 0, 90000}, /* the handler's lower bound */
        {2, 90000, 0, 120000},
        {1, -1, UINT64_MAX, 78000}, /* up to 30 % more */
        {1, -1, UINT64_C(1) << 63, 69000},
        {7, -1, UINT64_C(1) << 63, 4140000},
        {0, -1, 0, 60000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(retry_delay_ms(&preset, rows[i].attempt, rows[i].after_ms, rows[i].random),
            rows[i].expected_ms);
    struct stage_tuning flat = preset;
    flat.backoff_factor = 1.0;
    flat.jitter_pct = 0;
    assert_int_equal(retry_delay_ms(&flat, 1000000000, -1, 99), 60000);
    flat.backoff_base_ms = flat.backoff_max_ms = 0;
    assert_int_equal(retry_delay_ms(&flat, 3, -1, 99), 0);
}

static void test_endings(void **state)
{
    (void)state;
    static const struct {
        enum end_cause cause;
        struct end_state before;
        struct ending after;
    } rows[] = {
        {END_DONE, {2, 3, 2, false}, {STATUS_DONE, 2, 3, 0, 0, false, false}},
        {END_SKIP, {1, 0, 0, false}, {STATUS_SKIPPED, 1, 0, 0, 0, false, false}},
        {END_FAIL, {1, 0, 1, false}, {STATUS_FAILED, 1, 0, 0, 0, false, false}},
        {END_RETRY, {4, 1, 1, false}, {STATUS_RETRY_LATER, 4, 1, 0, 480000, false, false}},
        {END_RETRY, {5, 1, 0, false}, {STATUS_EXHAUSTED, 5, 1, 0, 0, false, false}},
        {END_STAGE_PAUSE, {2, 1, 1, false}, {STATUS_RETRY_LATER, 1, 1, 1, 0, false, false}},
        {END_STOPPED, {2, 1, 1, false}, {STATUS_PENDING, 1, 1, 1, 0, false, false}},
        {END_INTERRUPTED, {1, 0, 0, false}, {STATUS_PENDING, 0, 1, 1, 0, false, false}},
        {END_INTERRUPTED, {1, 9, 2, false}, {STATUS_PENDING, 0, 10, 3, 0, false, false}},
        {END_INTERRUPTED, {1, 3, 3, false}, {STATUS_RETRY_LATER, 0, 4, 4, 1000, false, false}},
        {END_INTERRUPTED, {2, 8, 8, false}, {STATUS_RETRY_LATER, 1, 9, 9, 32000, false, false}},
        {END_INTERRUPTED, {2, 9, 9, false}, {STATUS_RETRY_LATER, 1, 10, 10, 60000, false, false}},
        {END_INTERRUPTED, {2, 9, 900, false},
            {STATUS_RETRY_LATER, 1, 10, 901, 60000, false, false}},
        {END_INTERRUPTED, {0, 0, 0, false},
            {STATUS_PENDING, 0, 1, 1, 0, false, false}}, /* never below 0 */
        {END_CRASHED, {2, 3, 3, false}, {STATUS_PENDING, 1, 4, 3, 0, true, false}},
        {END_SNOOZE, {2, 3, 3, false}, {STATUS_RETRY_LATER, 1, 3, 0, 60000, false, true}},
        {END_WAIT, {1, 0, 0, true}, {STATUS_RETRY_LATER, 0, 0, 0, 30000, false, true}},
        {END_SNOOZE, {1, 0, 2, true}, {STATUS_RETRY_LATER, 0, 0, 0, 60000, false, true}},
        {END_STOPPED, {2, 1, 1, true}, {STATUS_PENDING, 1, 1, 1, 0, true, false}},
        {END_INTERRUPTED, {1, 0, 0, true}, {STATUS_PENDING, 0, 1, 1, 0, true, false}},
        {END_DONE, {1, 0, 0, true}, {STATUS_DONE, 1, 0, 0, 0, false, false}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ending e = ending_decide(rows[i].cause, &rows[i].before, &preset, -1, 0);
        assert_int_equal(e.status, rows[i].after.status);
        assert_int_equal(e.attempts, rows[i].after.attempts);
        assert_int_equal(e.interruptions, rows[i].after.interruptions);
        assert_int_equal(e.streak, rows[i].after.streak);
        assert_int_equal(e.delay_ms, rows[i].after.delay_ms);
        assert_int_equal(e.is_suspect, rows[i].after.is_suspect);
        assert_int_equal(e.is_snooze, rows[i].after.is_snooze);
        assert_true(status_may_become(STATUS_IN_PROGRESS, e.status));
    }
    struct stage_tuning strict = preset;
    strict.on_worker_death = ON_DEATH_FAIL;
    struct end_state one = {1, 0, 0, false};
    struct ending e = ending_decide(END_INTERRUPTED, &one, &strict, -1, 0);
    assert_int_equal(e.status, STATUS_FAILED);
    assert_int_equal(e.attempts, 1);
    assert_int_equal(e.interruptions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_retry_delay),
        cmocka_unit_test(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
