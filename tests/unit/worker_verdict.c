/* What a stage's own rules make of an end: exit.N, permanent, transient, retryable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/verdict.h"

#define EXITED(n) ((n) << 8)

static const struct stage_tuning ruled = {
    .exits = {.list = {{.status = 3, .act = EXIT_DONE}, {.status = 0, .act = EXIT_FAIL},
                  {.status = 255, .act = EXIT_SNOOZE, .snooze_ms = 1500},
                  {.status = 64, .act = EXIT_RETRY}, {.status = 5, .act = EXIT_PAUSE},
                  {.status = 6, .act = EXIT_SKIP}},
        .len = 6},
    .permanent = "^HTTP (404|410)|gone",
    .transient = "HTTP 4..|time",
};

static void test_exit_rules(void **state)
{
    static const struct {
        int status;
        enum end_cause cause;
        int64_t after_ms;
    } rows[] = {
        {EXITED(3), END_DONE, -1}, {EXITED(0), END_FAIL, -1}, {EXITED(255), END_SNOOZE, 1500},
        {EXITED(64), END_RETRY, -1}, {EXITED(5), END_STAGE_PAUSE, -1}, {EXITED(6), END_SKIP, -1},
        {EXITED(65), END_FAIL, -1},                     /* by the common table */
        {EXITED(1), END_RETRY, -1}, {3, END_RETRY, -1}, /* a signal is no exit status */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t after_ms = -1;
        assert_int_equal(verdict_exit(&ruled, rows[i].status, &after_ms), rows[i].cause);
        assert_int_equal(after_ms, rows[i].after_ms);
    }
}

static void test_patterns(void **state)
{
    static const struct {
        enum end_cause said;
        const char *why;
        enum end_cause cause;
    } rows[] = {
        {END_RETRY, "HTTP 404", END_FAIL},
        {END_FAIL, "HTTP 404", END_FAIL}, /* permanent wins */
        {END_RETRY, "it is gone now", END_FAIL},
        {END_FAIL, "HTTP 429", END_RETRY},
        {END_RETRY, "HTTP 429", END_RETRY},
        {END_FAIL, "bad data", END_FAIL},
        {END_RETRY, "bad data", END_RETRY},
        {END_RETRY, "timeout after 30 s", END_RETRY},
        {END_DONE, "HTTP 404", END_DONE},
        {END_SNOOZE, "HTTP 404", END_SNOOZE},
        {END_STAGE_PAUSE, "HTTP 404", END_STAGE_PAUSE},
        {END_STOPPED, "gone", END_STOPPED},
        {END_SKIP, "gone", END_SKIP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(verdict_text(&ruled, rows[i].said, rows[i].why), rows[i].cause);
}

static void test_what_is_not_retryable_fails(void **state)
{
    static const struct stage_tuning once = {.retryable = RETRYABLE_NO, .transient = "HTTP"};
    (void)state;
    assert_int_equal(verdict_text(&once, END_RETRY, "timeout after 1 s"), END_FAIL);
    assert_int_equal(verdict_text(&once, END_FAIL, "HTTP 503"), END_FAIL);
    assert_int_equal(verdict_text(&once, END_SNOOZE, "not yet"), END_SNOOZE);
    assert_int_equal(verdict_text(&once, END_STOPPED, ""), END_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_rules),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_what_is_not_retryable_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
