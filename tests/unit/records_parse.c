/* What is pure in reading records: CSV put together of lines, one line of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/records/csv.h"
#include "common/records/jsonl.h"

/* The record's cells joined by '|', or its error behind '!'; behind them '+' if a quote is open. */
static char *split(const char *record, char separator)
{
    struct csv c;
    struct buf out = BUF_INIT;
    struct err err = {""};
    int64_t number = 0;
    csv_init(&c, separator);
    for (const char *line = record; line;) {
        size_t len = strcspn(line, "\n");
        csv_add_line(&c, line, len, ++number);
        line = line[len] ? line + len + 1 : NULL;
    }
    if (csv_check(&c, &err) == RC_OK)
        for (size_t i = 0; i < c.len; i++)
            buf_addf(&out, "%s|", csv_cell(&c, i));
    else
        buf_addf(&out, "!%.8s", err.text);
    if (csv_is_open(&c))
        buf_addf(&out, "+%lld", (long long)c.quote_line);
    csv_fini(&c);
    csv_fini(&c);
    return buf_take(&out);
}

static void test_csv(void **state)
{
    static const struct {
        const char *record;
        char separator;
        const char *cells;
    } rows[] = {
        {"", ',', "|"},
        {"a", ',', "a|"},
        {"a\r", ',', "a|"},
        {"a,b", ',', "a|b|"},
        {"a,,", ',', "a|||"},
        {"\"a,b\",c", ',', "a,b|c|"},
        {"\"say \"\"hi\"\"\",c", ',', "say \"hi\"|c|"},
        {"\"\",\"\"\"\"", ',', "|\"|"},
        {"6\" disk,\"x\"\r", ',', "6\" disk|x|"},
        {"a\"\"b,c", ',', "a\"\"b|c|"},
        {"\"two\nlines\",c", ',', "two\nlines|c|"},
        {"\"two\r\nlines\",c\r", ',', "two\r\nlines|c|"},
        {"a,\"first\nsecond, \"\" line\nthird\",\"b", ',', "a|first\nsecond, \" line\nthird|b|+3"},
        {"a,\"b", ',', "a|b|+1"},
        {"\"a\"\"", ',', "a\"|+1"},
        {"\"a\"b,c", ',', "!column 1"},
        {"a,\"b\" ,\"c\"d", ',', "!column 2"},
        {"\"a\"b,\"c", ',', "!column 1+1"},
        {"\"a\tb\"\tc", '\t', "\"a|b\"|c|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = split(rows[i].record, rows[i].separator);
        assert_string_equal(got, rows[i].cells);
        free(got);
    }
}

static void test_csv_is_used_again(void **state)
{
    (void)state;
    struct csv c;
    csv_init(&c, ',');
    csv_add_line(&c, "\"a\"b,\"c", 7, 1);
    csv_reset(&c);
    csv_add_line(&c, "d,e", 3, 2);
    assert_int_equal(c.len, 2);
    assert_false(csv_is_open(&c));
    assert_int_equal(csv_check(&c, NULL), RC_OK);
    assert_string_equal(csv_cell(&c, 0), "d");
    assert_string_equal(csv_cell(&c, 1), "e");
    csv_fini(&c);
    csv_fini(NULL);
}

static const struct {
    const char *line, *key_name, *key, *data, *why;
    int priority; /* 0: none */
} json_rows[] = {
    {"\"k\"", "key", "k", "", NULL, 0},
    {" 7 ", "key", "7", "", NULL, 0},
    {"{\"key\":\"k\"}", "key", "k", "", NULL, 0},
    {" { \"key\" : \"k\" } ", "key", "k", "", NULL, 0},
    {"{\"key\":7,\"size\":1.5}", "key", "7", "{\"size\":1.5}", NULL, 0},
    {"{\"a\":1,\"url\":\"u\",\"b\":[2]}", "url", "u", "{\"a\":1,\"b\":[2]}", NULL, 0},
    {"{\"key\":\"k\",\"data\":{\"x\": 1},\"priority\":5}", "key", "k", "{\"x\": 1}", NULL, 5},
    {"{\"key\":\"k\",\"data\":{}}", "key", "k", "{}", NULL, 0},
    {"{\"key\":\"k\",\"data\":3}", "key", "k", "3", NULL, 0},
    {"{\"key\":\"k\",\"data\":null}", "key", "k", "", NULL, 0},
    {"{\"key\":\"k\",\"x\":null}", "key", "k", "{\"x\":null}", NULL, 0},
    {"{\"data\":\"k\",\"x\":1}", "data", "k", "{\"x\":1}", NULL, 0},
    {"{\"priority\":\"k\",\"data\":[]}", "priority", "k", "[]", NULL, 0},
    {"{\"k\\u0065y\":\"k\",\"d\\u0061ta\":[1]}", "key", "k", "[1]", NULL, 0},
    {"{\"key\":\"\\u00e9\"}", "key", "\xc3\xa9", "", NULL, 0},
    {"{\"key\":\"k\",\"data\":{},\"x\":1}", "key", NULL, NULL, "\"x\" stands beside \"data\"", 0},
    {"{\"url\":\"k\"}", "key", NULL, NULL, "no \"key\"", 0},
    {"{\"key\":true}", "key", NULL, NULL, "\"key\" must be a string", 0},
    {"{\"id\":1.5}", "id", NULL, NULL, "\"id\" must be a string", 0},
    {"{\"key\":\"\"}", "key", NULL, NULL, "key", 0},
    {"[1]", "key", NULL, NULL, "not a JSON object", 0},
    {"null", "key", NULL, NULL, "not a JSON object", 0},
    {"{\"key\":\"k\",", "key", NULL, NULL, "not valid JSON", 0},
    {"{\"key\":\"k\"} x", "key", NULL, NULL, "not valid JSON", 0},
    {"{\"key\":\"k\",\"k\\u0065y\":\"l\"}", "key", NULL, NULL, "not valid JSON", 0},
    {"{\"key\":\"k\",\"priority\":1000001}", "key", NULL, NULL, "\"priority\"", 0},
    {"{\"key\":\"k\",\"priority\":-1000000}", "key", "k", "", NULL, -1000000},
    {"{\"key\":\"k\",\"priority\":5.0}", "key", "k", "", NULL, 5},
    {"{\"key\":\"k\",\"priority\":-5,\"a\": 1 }", "key", "k", "{\"a\":1}", NULL, -5},
    {"{\"key\":\"k\",\"data\":{\"a\":1,\"a\":2}}", "key", NULL, NULL, "not valid JSON", 0},
    {"{\"key\":\"k\\n\"}", "key", NULL, NULL, "control", 0},
    {"{\"key\":\"k\",\"priority\":\"high\"}", "key", NULL, NULL, "\"priority\"", 0},
};

static void test_jsonl(void **state)
{
    (void)state;
    struct jsonl_item item = {.key = BUF_INIT, .data = BUF_INIT};
    for (size_t i = 0; i < sizeof(json_rows) / sizeof(json_rows[0]); i++) {
        struct err err = {""};
        const char *line = json_rows[i].line, *why = json_rows[i].why;
        enum rc rc = jsonl_parse(line, strlen(line), json_rows[i].key_name, &item, &err);
        if (why && !strstr(err.text, why))
            fail_msg("%s: \"%s\" is not in \"%s\"", line, why, err.text);
        if (why) {
            assert_int_equal(rc, strncmp(why, "no ", 3) == 0 ? RC_NOTFOUND : RC_INVALID);
            continue;
        }
        assert_int_equal(rc, RC_OK);
        assert_string_equal(buf_str(&item.key), json_rows[i].key);
        assert_string_equal(buf_str(&item.data), json_rows[i].data);
        assert_int_equal(item.has_priority, json_rows[i].priority != 0);
        assert_int_equal(item.priority, json_rows[i].priority);
    }
    jsonl_fini(&item);
    jsonl_fini(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_is_used_again),
        cmocka_unit_test(test_jsonl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
