/* The layout of tables, the text of the progress lines, the size of bites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/bite_size.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "cli/table.h"

static const struct table_column columns[] = {{"NAME", false}, {"N", true}, {"NOTE", false}};

static char *lay_out(size_t width, bool has_color, const char *const *cells, size_t len)
{
    struct table t;
    struct buf out = BUF_INIT;
    table_init(&t, columns, 3, width, has_color);
    for (size_t i = 0; i < len; i++)
        table_add(&t, cells[i], i == 2 ? TONE_BAD : TONE_NONE);
    table_flush(&t, &out);
    table_fini(&t);
    return buf_take(&out);
}

static void expect(
    size_t width, bool has_color, const char *const *cells, size_t len, const char *wanted)
{
    char *got = lay_out(width, has_color, cells, len);
    assert_string_equal(got, wanted);
    free(got);
}

static void test_columns_are_aligned(void **state)
{
    (void)state;
    const char *const cells[] = {"a", "1", "x", "longer", "1,000", NULL, "", "7", "z"};
    expect(0, false, cells, 9,
        "NAME        N  NOTE\n"
        "a           1  x\n"
        "longer  1,000  -\n"
        "            7  z\n");
    expect(0, false, cells, 0, "NAME  N  NOTE\n");
}

static void test_wide_characters_take_two_columns(void **state)
{
    (void)state;
    const char *const cells[] = {"\xe6\x97\xa5\xe6\x9c\xac", "1", "x", "\xc3\xa4", "2", "y"};
    assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
    assert_int_equal(text_width("a\xc3\xa4"), 2);
    expect(0, false, cells, 6,
        "NAME  N  NOTE\n"
        "\xe6\x97\xa5\xe6\x9c\xac  1  x\n"
        "\xc3\xa4     2  y\n");
}

static void test_control_characters_do_not_get_out(void **state)
{
    (void)state;
    const char *const cells[] = {"a\033[31m", "1", "b\nc"};
    char *got = lay_out(0, false, cells, 3);
    assert_null(strchr(got, '\033'));
    assert_non_null(strstr(got, "b\\nc\n"));
    free(got);
}

static void test_the_last_column_is_cut(void **state)
{
    (void)state;
    const char *const cells[] = {"a", "1", "0123456789012345678901234567890"};
    expect(30, false, cells, 3, "NAME  N  NOTE\na     1  01234567890123456789…\n");
    expect(40, false, cells, 3, "NAME  N  NOTE\na     1  0123456789012345678901234567890\n");
    char *cut = text_cut("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4);
    assert_string_equal(cut, "\xe6\x97\xa5…");
    free(cut);
}

static void test_colour_does_not_move_columns(void **state)
{
    (void)state;
    const char *const cells[] = {"a", "1", "x"};
    expect(0, true, cells, 3,
        "\033[2mNAME\033[0m  \033[2mN\033[0m  \033[2mNOTE\033[0m\na     1  \033[31mx\033[0m\n");
}

static void test_blocks_keep_the_header_and_the_widths(void **state)
{
    (void)state;
    struct table t;
    struct buf out = BUF_INIT;
    table_init(&t, columns, 3, 0, false);
    for (int row = 0; row < TABLE_BLOCK_ROWS; row++) {
        assert_false(table_is_full(&t));
        table_add(&t, "abcdefgh", TONE_NONE);
        table_add_count(&t, 1234, TONE_NONE);
        table_add(&t, "x", TONE_NONE);
    }
    assert_true(table_is_full(&t));
    table_flush(&t, &out);
    assert_false(table_is_full(&t));
    buf_reset(&out);
    table_add(&t, "a", TONE_NONE);
    table_add_count(&t, 1, TONE_NONE);
    table_add(&t, "y", TONE_NONE);
    table_flush(&t, &out);
    assert_string_equal(buf_str(&out), "a             1  y\n");
    table_fini(&t);
    buf_fini(&out);
}

static void expect_progress(const struct progress_numbers *n, const char *wanted)
{
    struct buf out = BUF_INIT;
    progress_format(&out, n);
    assert_string_equal(buf_str(&out), wanted);
    buf_fini(&out);
}

static void test_progress_says_only_what_is_known(void **state)
{
    (void)state;
    struct progress_numbers n = {.name = "licences",
        .items = 795,
        .done = 612,
        .running = 4,
        .rest = 183,
        .rate_per_s = 412};
    expect_progress(&n, "licences 612/795 done · 4 running · 0 failed · 412/s · ~1s left");
    n.rate_per_s = -1;
    expect_progress(&n, "licences 612/795 done · 4 running · 0 failed");
    n.rate_per_s = 1.5;
    n.is_finding = true;
    n.retrying = 2;
    expect_progress(&n, "licences 612/795 done (still finding) · 4 running · 2 retry later · 0 "
                        "failed · 1.5/s");
}

static void test_csv_cells(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"a b", "a b"}, {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""}, {"a\nb", "\"a\nb\""}, {"", ""}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buf out = BUF_INIT;
        csv_add(&out, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(buf_str(&out), pairs[i][1]);
        buf_fini(&out);
    }
}

static void test_times(void **state)
{
    (void)state;
    assert_int_equal(show_parse_time("1970-01-01T00:00:01.250Z"), 1250);
    assert_int_equal(show_parse_time("2026-11-22T23:25:21Z"), 1795389921000);
    assert_int_equal(show_parse_time("yesterday"), -1);
    assert_int_equal(show_parse_time(NULL), -1);
}

static void expect_adding(const struct progress_adding *n, const char *wanted)
{
    struct buf out = BUF_INIT;
    progress_format_adding(&out, n);
    assert_string_equal(buf_str(&out), wanted);
    buf_fini(&out);
}

static void test_progress_of_adding(void **state)
{
    (void)state;
    struct progress_adding n = {
        .name = "news", .items = 412000, .done_bytes = 410, .rate_per_s = -1};
    expect_adding(&n, "news 412,000 items"); /* a stream: nobody knows its length */
    n.size_bytes = 1000;
    expect_adding(&n, "news 41% · 412,000 items");
    n.rate_per_s = 98123;
    expect_adding(&n, "news 41% · 412,000 items · 98,123/s · ~6s left");
    n.has_bar = true;
    expect_adding(&n, "news [========>           ] 41% · 412,000 items · 98,123/s · ~6s left");
    n.done_bytes = 1001; /* it grew */
    expect_adding(&n, "news [====================] 100% · 412,000 items · 98,123/s");
    n = (struct progress_adding){.name = "n", .size_bytes = 9, .rate_per_s = -1, .has_bar = true};
    expect_adding(&n, "n [>                   ] 0% · 0 items");
}

static void test_bites_keep_to_their_time(void **state)
{
    (void)state;
    int64_t ms = 1000 * 1000;
    assert_int_equal(bite_next_limit(1000, 1000, 10 * ms, 50 * ms), 2000); /* at most doubles */
    assert_int_equal(bite_next_limit(1000, 1000, 40 * ms, 50 * ms), 1250);
    assert_int_equal(bite_next_limit(1000, 1000, 100 * ms, 50 * ms), 500);
    assert_int_equal(bite_next_limit(1000, 1000, 10000 * ms, 50 * ms), BITE_ITEMS_MIN);
    assert_int_equal(bite_next_limit(BITE_ITEMS_MAX, BITE_ITEMS_MAX, ms, 50 * ms), BITE_ITEMS_MAX);
    assert_int_equal(bite_next_limit(1000, 1000, 0, 50 * ms), 2000);
    assert_int_equal(bite_next_limit(1000, 4, 100 * ms, 50 * ms), BITE_ITEMS_MIN); /* few, large */
}

/* Looks `bites` times; how often was it due? */
static int times_due(struct giving_way *g, int bites, bool has_somebody_come)
{
    int n = 0;
    for (int i = 0; i < bites; i++) {
        if (!giving_way_is_due(g))
            continue;
        n++;
        giving_way_came(g, has_somebody_come);
    }
    return n;
}

static void test_giving_way(void **state)
{
    (void)state;
    struct giving_way g = {0};
    assert_int_equal(times_due(&g, 100, true), 100);
    assert_int_equal(times_due(&g, 31, false), 5); /* 1, 3, 7, 15 and 31 bites apart */
    assert_int_equal(times_due(&g, 3200, false), 100);
    g.bites_left = 0;
    giving_way_came(&g, true);
    assert_int_equal(times_due(&g, 10, true), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_aligned),
        cmocka_unit_test(test_wide_characters_take_two_columns),
        cmocka_unit_test(test_control_characters_do_not_get_out),
        cmocka_unit_test(test_the_last_column_is_cut),
        cmocka_unit_test(test_colour_does_not_move_columns),
        cmocka_unit_test(test_blocks_keep_the_header_and_the_widths),
        cmocka_unit_test(test_progress_says_only_what_is_known),
        cmocka_unit_test(test_progress_of_adding),
        cmocka_unit_test(test_bites_keep_to_their_time),
        cmocka_unit_test(test_giving_way),
        cmocka_unit_test(test_csv_cells),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
