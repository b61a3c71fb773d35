/* What a handler says, applied: the newest counts, the first outcome counts, costs are numbered,
 * checkpoints cover items, and what breaks the protocol is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "worker/heard.h"

static enum heard_news hear(struct heard *h, const char *line)
{
    CLEANUP(message_fini) struct message m = MESSAGE_INIT;
    struct err err;
    if (message_parse(line, strlen(line), &m, NULL, &err) != RC_OK)
        fail_msg("%s: %s", line, err.text);
    return heard_apply(h, &m);
}

static void test_the_newest_note_counts(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_int_equal(hear(&h, "{\"type\":\"progress\",\"done\":1}"), HEARD_NOTE);
    assert_int_equal(hear(&h, "{\"type\":\"checkpoint\",\"data\":[1]}"), HEARD_NOTE);
    assert_int_equal(hear(&h, "{\"type\":\"progress\",\"done\":2,\"total\":9}"), HEARD_NOTE);
    assert_int_equal(hear(&h, "{\"type\":\"checkpoint\",\"data\":[2]}"), HEARD_NOTE);
    assert_string_equal(buf_str(&h.progress), "{\"done\":2,\"total\":9}");
    assert_string_equal(buf_str(&h.checkpoint), "[2]");
    assert_true(h.has_new_progress && h.has_new_checkpoint);
    heard_wrote(&h, 0, true, true);
    assert_false(h.has_new_progress || h.has_new_checkpoint);
    assert_string_equal(buf_str(&h.checkpoint), "[2]");
}

static void test_the_first_outcome_counts(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_int_equal(
        hear(&h, "{\"type\":\"retry\",\"why\":\"busy\",\"after\":\"2s\"}"), HEARD_OUTCOME);
    assert_int_equal(hear(&h, "{\"type\":\"done\",\"result\":1}"), HEARD_LATE);
    assert_int_equal(hear(&h, "{\"type\":\"checkpoint\",\"data\":1}"), HEARD_LATE);
    assert_int_equal(hear(&h, "{\"type\":\"spawn\",\"items\":[{\"key\":\"a\"}]}"), HEARD_LATE);
    heard_break(&h, "not valid JSON", 1, "x", 1);
    assert_int_equal(h.outcome, MESSAGE_RETRY);
    assert_string_equal(buf_str(&h.why), "busy");
    assert_int_equal(h.after_ms, 2000);
    assert_int_equal(h.late, 4);
    assert_int_equal(h.items_len, 0);
    assert_int_equal(h.checkpoint.len, 0);
    assert_false(heard_is_broken(&h));
}

static void test_what_is_true_after_the_outcome_too(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_int_equal(hear(&h, "{\"type\":\"done\"}"), HEARD_OUTCOME);
    assert_string_equal(buf_str(&h.result), "null");
    assert_int_equal(hear(&h, "{\"type\":\"cost\",\"usd\":1}"), HEARD_COST);
    assert_int_equal(hear(&h, "{\"type\":\"limit\"}"), HEARD_LIMIT);
    assert_int_equal(hear(&h, "{\"type\":\"log\",\"text\":\"x\"}"), HEARD_LOG);
    assert_int_equal(hear(&h, "{\"type\":\"news\"}"), HEARD_NOTHING);
    assert_int_equal(h.late, 0);
}

static void test_costs_are_numbered(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    for (int i = 0; i < 10; i++)
        assert_int_equal(
            hear(&h, "{\"type\":\"cost\",\"usd\":0.5,\"tokens\":7,\"of\":\"m\"}"), HEARD_COST);
    assert_int_equal(h.costs_len, 10);
    heard_wrote_costs(&h, 8);
    assert_int_equal(h.costs_len, 2);
    assert_int_equal(h.costs[0].n, 9);
    assert_int_equal(hear(&h, "{\"type\":\"cost\",\"tokens\":3}"), HEARD_COST);
    assert_int_equal(h.costs[2].n, 11);
    assert_int_equal(h.costs[2].tokens, 3);
    assert_null(h.costs[2].of);
    assert_string_equal(h.costs[0].of, "m");
}

static void test_a_checkpoint_covers_the_items_before_it(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_int_equal(
        hear(&h, "{\"type\":\"spawn\",\"items\":[{\"key\":\"a\"},{\"key\":\"b\"}]}"), HEARD_SPAWN);
    assert_int_equal(hear(&h, "{\"type\":\"checkpoint\",\"data\":1}"), HEARD_NOTE);
    assert_int_equal(hear(&h, "{\"type\":\"spawn\",\"items\":[{\"key\":\"c\",\"job\":\"j\","
                              "\"data\":[3],\"priority\":4}]}"),
        HEARD_SPAWN);
    assert_int_equal(h.items_covered, 2);
    heard_wrote(&h, 1, false, false);
    assert_int_equal(h.items_len, 2);
    assert_int_equal(h.items_covered, 1);
    assert_string_equal(h.items[0].key, "b");
    assert_string_equal(h.items[1].job, "j");
    assert_string_equal(h.items[1].data, "[3]");
    assert_int_equal(h.items[1].priority, 4);
    heard_drop_uncovered(&h);
    assert_int_equal(h.items_len, 1);
    assert_string_equal(h.items[0].key, "b");
    assert_int_equal(h.items_written, 1);
}

static void test_wait_names_items(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_int_equal(
        hear(&h, "{\"type\":\"wait\",\"items\":[{\"key\":\"a\"}],\"on_failure\":\"continue\"}"),
        HEARD_OUTCOME);
    assert_int_equal(h.items_len, 1);
    assert_true(h.continues);
}

static void test_the_longest_limit_counts(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    assert_false(h.has_limit);
    assert_int_equal(hear(&h, "{\"type\":\"limit\",\"retry_after\":90}"), HEARD_LIMIT);
    assert_int_equal(hear(&h, "{\"type\":\"limit\"}"), HEARD_LIMIT);
    assert_true(h.has_limit);
    assert_int_equal(h.limit_ms, 90000);
}

static void test_what_breaks_the_protocol_is_shown(void **state)
{
    (void)state;
    CLEANUP(heard_fini) struct heard h = HEARD_INIT;
    heard_break(&h, "not valid JSON", 3, "{\"\033x", 4);
    heard_break(&h, "another", 1, "y", 1);
    assert_string_equal(buf_str(&h.broken), "protocol error: not valid JSON (column 3): {\"\\x1bx");
}

static void test_a_long_line_is_cut_around_the_place(void **state)
{
    (void)state;
    char line[5000];
    memset(line, 'x', sizeof(line));
    memcpy(line + 3000, "HERE", 4);
    for (size_t column = 0; column <= sizeof(line) + 1; column += 1000) {
        CLEANUP(heard_fini) struct heard h = HEARD_INIT;
        heard_break(&h, "wrong", column, line, sizeof(line));
        assert_in_range(h.broken.len, 20, 260);
        if (column == 3000)
            assert_non_null(strstr(buf_str(&h.broken), "HERE"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_note_counts),
        cmocka_unit_test(test_the_first_outcome_counts),
        cmocka_unit_test(test_what_is_true_after_the_outcome_too),
        cmocka_unit_test(test_costs_are_numbered),
        cmocka_unit_test(test_a_checkpoint_covers_the_items_before_it),
        cmocka_unit_test(test_wait_names_items),
        cmocka_unit_test(test_the_longest_limit_counts),
        cmocka_unit_test(test_what_breaks_the_protocol_is_shown),
        cmocka_unit_test(test_a_long_line_is_cut_around_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
