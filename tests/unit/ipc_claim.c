/* claim: numbers and their text form, both ways and at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/ipc/claim.h"

static void test_parts_come_back(void **state)
{
    (void)state;
    const int64_t lives[] = {1, 2, 65536, LIFE_MAX};
    const uint32_t seqs[] = {0, 1, 77, CLAIM_SEQ_MAX};

    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            int64_t claim = claim_make(lives[i], seqs[j]), parsed = -1;
            char text[CLAIM_TEXT_MAX];

            assert_true(claim > 0);
            assert_int_equal(claim_life(claim), lives[i]);
            assert_int_equal(claim_seq(claim), seqs[j]);
            assert_true(claim_parse(claim_format(claim, text), &parsed));
            assert_int_equal(parsed, claim);
        }
    }
}

static void test_text_form(void **state)
{
    char text[CLAIM_TEXT_MAX];

    (void)state;
    assert_string_equal(claim_format(claim_make(12, 7), text), "12-7");
    assert_string_equal(
        claim_format(claim_make(LIFE_MAX, CLAIM_SEQ_MAX), text), "549755813887-16777215");
}

static void test_nonsense_is_refused(void **state)
{
    static const char *const bad[] = {"", "-", "1", "1-", "-1", "0-1", "01-1", "1-01", "1-1 ",
        " 1-1", "1--1", "+1-1", "1-1-1", "1-16777216", "549755813888-1", "99999999999999999999-1",
        "a-1"};
    int64_t claim = 42;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(claim_parse(bad[i], &claim));
    assert_int_equal(claim, 42);
}

static void test_lives_are_ranges(void **state)
{
    (void)state;
    assert_true(claim_last(5) < claim_first(6));
    assert_true(
        claim_first(5) <= claim_make(5, 0) && claim_make(5, CLAIM_SEQ_MAX) <= claim_last(5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_come_back),
        cmocka_unit_test(test_text_form),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_lives_are_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
