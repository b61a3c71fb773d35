/* What people write and read: durations, sizes, numbers, names, keys, nearest words, and buf and
 * err below them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"250ms", 250},
        {"0s", 0},
        {"10s", 10000},
        {"1.5m", 90000},
        {"2h", 7200000},
        {"7d", 604800000},
        {"0.25s", 250},
        {"1.0005s", 1001},
        {"106751991167d", 106751991167 * INT64_C(86400000)},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = -1;
        struct err err = {""};
        assert_int_equal(text_duration_ms(rows[i].text, &ms, &err), RC_OK);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void wrong_durations_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "s", "10", "1.5", "-1s", "+1s", "1 s", "1.s", ".5s",
        "1.5.5s", "10S", "1w", "s10", "106751991168d", "99999999999999999999s", "1e3s", "10ss"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = -1;
        assert_int_equal(text_duration_ms(rows[i], &ms, NULL), RC_INVALID);
        assert_int_equal(ms, -1);
    }
    struct err err;
    int64_t ms;
    assert_int_equal(text_duration_ms("10", &ms, &err), RC_INVALID);
    assert_string_equal(err.text, "\"10\" has no unit; did you mean 10s? (ms, s, m, h or d)");
}

static void sizes_numbers_percentages_are_read(void **state)
{
    (void)state;
    int64_t n = -1;
    assert_int_equal(text_size_bytes("4096", &n, NULL), RC_OK);
    assert_int_equal(n, 4096);
    assert_int_equal(text_size_bytes("64K", &n, NULL), RC_OK);
    assert_int_equal(n, 65536);
    assert_int_equal(text_size_bytes("1.5M", &n, NULL), RC_OK);
    assert_int_equal(n, 3 << 19);
    assert_int_equal(text_size_bytes("2G", &n, NULL), RC_OK);
    assert_int_equal(n, INT64_C(2) << 30);
    assert_int_equal(text_size_bytes("2KB", &n, NULL), RC_INVALID);
    assert_int_equal(text_size_bytes("-1", &n, NULL), RC_INVALID);
    assert_int_equal(text_size_bytes("9999999999G", &n, NULL), RC_INVALID);
    assert_int_equal(text_int("-9223372036854775808", INT64_MIN, INT64_MAX, &n, NULL), RC_OK);
    assert_true(n == INT64_MIN);
    assert_int_equal(text_int("9223372036854775808", INT64_MIN, INT64_MAX, &n, NULL), RC_INVALID);
    assert_int_equal(text_int("+5", 0, 5, &n, NULL), RC_OK);
    assert_int_equal(n, 5);
    assert_int_equal(text_int("6", 0, 5, &n, NULL), RC_INVALID);
    assert_int_equal(text_int("", 0, 5, &n, NULL), RC_INVALID);
    assert_int_equal(text_int("-", 0, 5, &n, NULL), RC_INVALID);
    assert_int_equal(text_int("1x", 0, 5, &n, NULL), RC_INVALID);
    assert_int_equal(text_percent("30%", &n, NULL), RC_OK);
    assert_int_equal(n, 30);
    assert_int_equal(text_percent("100%", &n, NULL), RC_OK);
    assert_int_equal(text_percent("101%", &n, NULL), RC_INVALID);
    assert_int_equal(text_percent("30", &n, NULL), RC_INVALID);
    assert_int_equal(text_percent("%", &n, NULL), RC_INVALID);
    assert_int_equal(text_percent("-1%", &n, NULL), RC_INVALID);
    bool is_on = false;
    assert_int_equal(text_bool("yes", &is_on, NULL), RC_OK);
    assert_true(is_on);
    assert_int_equal(text_bool("false", &is_on, NULL), RC_OK);
    assert_false(is_on);
    assert_int_equal(text_bool("1", &is_on, NULL), RC_INVALID);
}

static void names_have_limits(void **state)
{
    (void)state;
    char name[70];
    memset(name, 'a', sizeof(name));
    for (size_t len = 63; len <= 65; len++) {
        name[len] = '\0';
        assert_int_equal(text_is_name(name), len <= 64);
        name[len] = 'a';
    }
    assert_false(text_is_name(""));
    assert_true(text_is_name("A-z_09"));
    assert_false(text_is_name("a.b"));
    assert_false(text_is_name("@discover"));
    assert_false(text_is_name("a b"));
    assert_false(text_is_name("\xc3\xa4"));
}

static void keys_have_limits(void **state)
{
    (void)state;
    char key[KEY_MAX_BYTES + 2];
    memset(key, 'k', sizeof(key));
    assert_int_equal(text_check_key(key, 0, NULL), RC_INVALID);
    assert_int_equal(text_check_key(key, KEY_MAX_BYTES - 1, NULL), RC_OK);
    assert_int_equal(text_check_key(key, KEY_MAX_BYTES, NULL), RC_OK);
    assert_int_equal(text_check_key(key, KEY_MAX_BYTES + 1, NULL), RC_LIMIT);
    static const struct {
        const char *key;
        enum rc rc;
    } rows[] = {
        {"https://example.com/a b?c=\xc3\xa4", RC_OK},
        {"a\nb", RC_INVALID},
        {"a\x7f", RC_INVALID},
        {"\xc2\x85", RC_INVALID},
        {"\xc2\xa0", RC_OK},
        {"\xff", RC_INVALID},
        {"\xc3", RC_INVALID},
        {"\xed\xa0\x80", RC_INVALID},
        {"\xf4\x90\x80\x80", RC_INVALID},
        {"\xc0\xaf", RC_INVALID},
        {"\xf0\x9f\x92\xa9", RC_OK},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(text_check_key(rows[i].key, strlen(rows[i].key), NULL), rows[i].rc);
    assert_int_equal(text_check_key("a\0b", 3, NULL), RC_INVALID);
    assert_true(text_is_utf8("\xe2\x82\xac", 3));
    assert_false(text_is_utf8("\xe2\x82\xac", 2));
}

static void the_nearest_word_is_found(void **state)
{
    (void)state;
    static const char *const words[] = {"concurrency", "timeout", "stages", "key"};
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"concurency", "concurrency"},
        {"tiemout", "timeout"},
        {"TIMEOUT", "timeout"},
        {"stage", "stages"},
        {"kye", "key"},
        {"zebra", NULL},
        {"x", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *found = text_nearest(rows[i].word, words, COUNT_OF(words));
        if (rows[i].nearest)
            assert_string_equal(found, rows[i].nearest);
        else
            assert_null(found);
    }
    char endless[5000];
    memset(endless, 'k', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    assert_null(text_nearest(endless, words, COUNT_OF(words)));
}

static void numbers_are_shown(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(text_count(0, out, sizeof(out)), "0");
    assert_string_equal(text_count(999, out, sizeof(out)), "999");
    assert_string_equal(text_count(1284, out, sizeof(out)), "1,284");
    assert_string_equal(text_count(-1234567, out, sizeof(out)), "-1,234,567");
    assert_string_equal(text_count(INT64_MIN, out, sizeof(out)), "-9,223,372,036,854,775,808");
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0ms"},
        {350, "350ms"},
        {1000, "1s"},
        {1850, "1.8s"},
        {12700, "12s"},
        {59999, "59s"},
        {60000, "1m"},
        {250000, "4m 10s"},
        {3600000, "1h"},
        {86399999, "23h 59m"},
        {273600000, "3d 4h"},
        {-250000, "-4m 10s"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(text_duration(rows[i].ms, out, sizeof(out)), rows[i].text);
    assert_string_equal(text_size(0, out, sizeof(out)), "0 B");
    assert_string_equal(text_size(1023, out, sizeof(out)), "1023 B");
    assert_string_equal(text_size(3 << 20, out, sizeof(out)), "3 MB");
    assert_string_equal(text_size(3 << 19, out, sizeof(out)), "1.5 MB");
    assert_string_equal(text_size(INT64_C(412) << 20, out, sizeof(out)), "412 MB");
    assert_string_equal(
        clock_format_wall(1795389921123, out, sizeof(out)), "2026-11-22T23:25:21.123Z");
    assert_string_equal(clock_format_wall(-1, out, sizeof(out)), "1969-12-31T23:59:59.999Z");
}

static void control_characters_never_reach_a_terminal(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    static const char text[] = "a\n\t\x1b[31m\x7f\xc2\x9b\xff\xc3\xa4\0z";
    text_add_printable(&out, text, sizeof(text) - 1);
    assert_string_equal(buf_str(&out), "a\\n\\t\\x1b[31m\\x7f\\u009b\\xff\xc3\xa4\\x00z");
}

static void characters_that_hide_others_are_named(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT, json = BUF_INIT;
    static const char text[] = "\u061c\u200b\u200f\u2010\u2027\u2028\u202e\u202f\u2065\u2066\u2069"
                               "\u206a\ufeff\u00a0";
    static const char shown[] = "\\u061c\\u200b\\u200f\u2010\u2027\\u2028\\u202e\u202f\u2065"
                                "\\u2066\\u2069\u206a\\ufeff\u00a0";
    text_add_printable(&out, text, sizeof(text) - 1);
    assert_string_equal(buf_str(&out), shown);
    text_add_json_printable(&json, text, sizeof(text) - 1);
    assert_string_equal(buf_str(&json), shown);
    buf_reset(&json);
    text_add_json_printable(&json, "{\"a\": \"\x7f\xc2\x9b\xff\"}\n", 15);
    assert_string_equal(buf_str(&json), "{\"a\": \"\\u007f\\u009b\xff\"}\n");
    assert_int_equal(text_check_key("a\u200db\u202e", 8, NULL), RC_OK);
    assert_int_equal(text_check_key("a\xc2\x85", 3, NULL), RC_INVALID);
}

static void buffers_grow_and_shrink(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf b = BUF_INIT;
    assert_string_equal(buf_str(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_addf(&b, "%d,", i);
    assert_int_equal(b.len, strlen(b.data));
    buf_drop(&b, 4);
    assert_memory_equal(buf_str(&b), "2,3,", 4);
    memcpy(buf_room(&b, 3), "end", 3);
    buf_wrote(&b, 3);
    assert_string_equal(buf_str(&b) + b.len - 7, "999,end");
    buf_drop(&b, SIZE_MAX);
    assert_string_equal(buf_str(&b), "");
    buf_add(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    CLEANUP_FREE char *taken = buf_take(&b);
    assert_memory_equal(taken, "a\0b", 4);
    assert_null(b.data);
    buf_fini(&b);
    CLEANUP_FREE char *empty = buf_take(&b);
    assert_string_equal(empty, "");
}

static void errors_are_cut_not_overrun(void **state)
{
    (void)state;
    struct err err;
    char big[2000];
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(err_set(&err, RC_LIMIT, "%s", big), RC_LIMIT);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(err_prefix(&err, RC_LIMIT, "%d%s", 7, big), RC_LIMIT);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(err_sys(&err, 2, "cannot open %s", "x"), RC_SYS);
    assert_int_equal(err_prefix(&err, RC_STORE, "file"), RC_STORE);
    assert_string_equal(err.text, "file: cannot open x: No such file or directory");
    assert_int_equal(err_set(NULL, RC_BUG, "nobody reads this"), RC_BUG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(wrong_durations_are_refused),
        cmocka_unit_test(sizes_numbers_percentages_are_read),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(keys_have_limits),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(numbers_are_shown),
        cmocka_unit_test(control_characters_never_reach_a_terminal),
        cmocka_unit_test(characters_that_hide_others_are_named),
        cmocka_unit_test(buffers_grow_and_shrink),
        cmocka_unit_test(errors_are_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
