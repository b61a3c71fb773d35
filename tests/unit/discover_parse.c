/* The pure parts of stint-discover: lines, CSV records, JSON lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "worker/discover/csv.h"
#include "worker/discover/jsonl.h"
#include "worker/discover/lines.h"

/* Feeds text in pieces of `step` bytes; the lines come back joined by '|'. */
static char *cut(const char *text, size_t step)
{
    struct lines lines = {.in = BUF_INIT};
    struct buf out = BUF_INIT;
    size_t len = strlen(text), fed = 0;
    char *line;
    size_t line_len;
    for (bool is_end = false; !is_end;) {
        size_t n = len - fed < step ? len - fed : step;
        buf_add(&lines.in, text + fed, n);
        fed += n;
        is_end = fed == len;
        while (lines_take(&lines, is_end, &line, &line_len, NULL) == RC_ROW)
            buf_addf(&out, "%lld:%s|", (long long)lines.number, line);
    }
    lines_fini(&lines);
    return buf_take(&out);
}

static void test_lines(void **state)
{
    static const struct {
        const char *text, *lines;
    } rows[] = {
        {"", ""},
        {"a", "1:a|"},
        {"a\n", "1:a|"},
        {"a\nb", "1:a|2:b|"},
        {"a\r\n\r\nb\r\n", "1:a|2:|3:b|"},
        {"\n\n", "1:|2:|"},
        {"one two\nthree", "1:one two|2:three|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t step = 1; step < 9; step++) {
            char *got = cut(rows[i].text, step);
            assert_string_equal(got, rows[i].lines);
            free(got);
        }
}

static void test_endless_line(void **state)
{
    (void)state;
    struct lines lines = {.in = BUF_INIT};
    struct err err = {""};
    char *line;
    size_t len;
    memset(buf_room(&lines.in, LINE_MAX_BYTES), 'x', LINE_MAX_BYTES);
    buf_wrote(&lines.in, LINE_MAX_BYTES);
    assert_int_equal(lines_take(&lines, false, &line, &len, &err), RC_DONE);
    buf_addc(&lines.in, 'x');
    assert_int_equal(lines_take(&lines, false, &line, &len, &err), RC_LIMIT);
    assert_non_null(strstr(err.text, "line 1"));
    lines_fini(&lines);
}

/* The fields joined by '|', or the error behind '!'. */
static char *split(const char *record, char sep)
{
    struct csv_row row = {0};
    struct buf out = BUF_INIT;
    struct err err = {""};
    char *text = xstrdup(record);
    if (csv_split(text, sep, &row, &err) == RC_OK)
        for (size_t i = 0; i < row.len; i++)
            buf_addf(&out, "%s|", row.fields[i]);
    else
        buf_addf(&out, "!%s", err.text);
    csv_fini(&row);
    free(text);
    return buf_take(&out);
}

static void test_csv(void **state)
{
    static const struct {
        const char *record;
        char sep;
        const char *fields;
        bool is_open;
    } rows[] = {
        {"", ',', "|", false},
        {"a", ',', "a|", false},
        {"a,b", ',', "a|b|", false},
        {"a,,", ',', "a|||", false},
        {"\"a,b\",c", ',', "a,b|c|", false},
        {"\"say \"\"hi\"\"\",c", ',', "say \"hi\"|c|", false},
        {"\"\",\"\"\"\"", ',', "|\"|", false},
        {"6\" disk,\"x\"", ',', "6\" disk|x|", false},
        {"a\"\"b,c", ',', "a\"\"b|c|", false},
        {"\"two\nlines\",c", ',', "two\nlines|c|", false},
        {"a,\"b", ',', "!a quoted field does not end; close its quote", true},
        {"\"a\"\"", ',', "!a quoted field does not end; close its quote", true},
        {"\"a\tb\"\tc", '\t', "\"a|b\"|c|", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = split(rows[i].record, rows[i].sep);
        assert_string_equal(got, rows[i].fields);
        free(got);
        if (rows[i].sep == ',')
            assert_int_equal(
                csv_is_open(rows[i].record, strlen(rows[i].record), false), rows[i].is_open);
    }
    char *got = split("\"a\"b,c", ',');
    assert_non_null(strstr(got, "behind the closing quote of field 1"));
    free(got);
}

static void test_csv_goes_on(void **state)
{
    (void)state;
    assert_true(csv_is_open("a,\"first", 8, false));
    assert_true(csv_is_open("second, \"\" line", 15, true));
    assert_false(csv_is_open("third\",b", 8, true));
    assert_true(csv_is_open("third\",\"b", 9, true));
}

static void test_jsonl(void **state)
{
    static const struct {
        const char *line, *key_name, *key, *data, *why;
        int priority; /* 0: none */
    } rows[] = {
        {"\"k\"", "key", "k", NULL, NULL, 0},
        {"{\"key\":\"k\"}", "key", "k", NULL, NULL, 0},
        {"{\"key\":7,\"size\":1.5}", "key", "7", "{\"size\":1.5}", NULL, 0},
        {"{\"a\":1,\"url\":\"u\",\"b\":[2]}", "url", "u", "{\"a\":1,\"b\":[2]}", NULL, 0},
        {"{\"key\":\"k\",\"data\":{\"x\":1},\"priority\":5}", "key", "k", "{\"x\":1}", NULL, 5},
        {"{\"key\":\"k\",\"data\":{}}", "key", "k", "{}", NULL, 0},
        {"{\"key\":\"k\",\"data\":3}", "key", "k", "{\"data\":3}", NULL, 0},
        {"{\"key\":\"k\",\"data\":{},\"x\":1}", "key", "k", "{\"data\":{},\"x\":1}", NULL, 0},
        {"{\"key\":\"\\u00e9\"}", "key", "\xc3\xa9", NULL, NULL, 0},
        {"{\"url\":\"k\"}", "key", NULL, NULL, "no member \"key\"", 0},
        {"{\"key\":true}", "key", NULL, NULL, "neither a string nor an integer", 0},
        {"[1]", "key", NULL, NULL, "neither a string nor an integer", 0},
        {"{\"key\":\"k\",", "key", NULL, NULL, "no JSON", 0},
        {"{\"key\":\"k\",\"key\":\"l\"}", "key", NULL, NULL, "no JSON", 0},
        {"{\"key\":\"k\",\"priority\":1000001}", "key", NULL, NULL, "\"priority\"", 0},
        {"{\"key\":\"k\",\"priority\":\"high\"}", "key", NULL, NULL, "\"priority\"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct jsonl_item item = {0};
        struct err err = {""};
        const char *line = rows[i].line;
        enum rc rc = jsonl_parse(line, strlen(line), rows[i].key_name, &item, &err);
        if (rows[i].why) {
            assert_int_equal(rc, RC_INVALID);
            assert_non_null(strstr(err.text, rows[i].why));
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_string_equal(item.key, rows[i].key);
        if (rows[i].data)
            assert_string_equal(item.data, rows[i].data);
        else
            assert_null(item.data);
        assert_int_equal(item.has_priority, rows[i].priority != 0);
        assert_int_equal(item.priority, rows[i].priority);
        jsonl_fini(&item);
    }
    assert_true(jsonl_is_blank(" \t\r", 3));
    assert_false(jsonl_is_blank(" x", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_endless_line),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_goes_on),
        cmocka_unit_test(test_jsonl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
