/* Checking and minifying JSON: by a table, and against jansson over texts that are broken byte by
 * byte. The quick way through a line of JSON must say what the slow one says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/base/cleanup.h"
#include "common/base/json_scan.h"
#include "common/base/text.h"
#include "common/records/plain.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void what_is_json(void **state)
{
    static const struct {
        const char *text, *normal; /* NULL: no JSON */
    } rows[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {" { \"a\" : [ 1 , 2.50 , -0 , 1e+3 ] , \"b c\" : { } } ",
            "{\"a\":[1,2.50,-0,1e+3],\"b c\":{}}"},
        {"\"a b\\u00e4\\\"\\\\\"", "\"a b\\u00e4\\\"\\\\\""},
        {"\t\r\nnull\n", "null"},
        {"true", "true"},
        {"12345678901234567890.0", "12345678901234567890.0"},
        {"[1e3, 1.10, -0.0, 1E400]", "[1e3,1.10,-0.0,1E400]"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"\"\\u0000\\/\"", "\"\\u0000\\/\""},
        {"{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}"},
        {"", NULL},
        {" ", NULL},
        {"nul", NULL},
        {"nulll", NULL},
        {"01", NULL},
        {"+1", NULL},
        {"1.", NULL},
        {".5", NULL},
        {"1e", NULL},
        {"-", NULL},
        {"[1,]", NULL},
        {"[,1]", NULL},
        {"[1 2]", NULL},
        {"[1", NULL},
        {"[1}", NULL},
        {"{]", NULL},
        {"{\"a\"}", NULL},
        {"{\"a\":}", NULL},
        {"{\"a\":1,}", NULL},
        {"{a:1}", NULL},
        {"{1:1}", NULL},
        {"1 2", NULL},
        {"]", NULL},
        {"\"a", NULL},
        {"\"\\x\"", NULL},
        {"\"\\u12g4\"", NULL},
        {"\"\\u12", NULL},
        {"\"\t\"", NULL},
        {"'a'", NULL},
        {"\v1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CLEANUP(buf_fini) struct buf out = BUF_INIT;
        buf_adds(&out, "x");
        bool is_valid = json_minify(rows[i].text, strlen(rows[i].text), &out);
        if (is_valid != !!rows[i].normal)
            fail_msg("%s", rows[i].text);
        assert_string_equal(buf_str(&out) + 1, is_valid ? rows[i].normal : "");
    }
}

static void nothing_is_read_behind_the_end(void **state)
{
    static const char text[] = "{\"a\": \"\\u00e4\", \"b\": [tRue, -1.5e+7, null]}";
    (void)state;
    for (size_t len = 0; len < strlen(text); len++) { /* the sanitizer watches */
        CLEANUP_FREE char *cut = xstrndup(text, len);
        CLEANUP(buf_fini) struct buf out = BUF_INIT;
        assert_false(json_minify(cut, len, &out));
    }
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    assert_false(json_minify("1\0", 2, &out));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT, out = BUF_INIT;
        for (size_t i = 0; i < depth; i++)
            buf_adds(&text, i % 2 ? "{\"a\":" : "[");
        buf_adds(&text, "0");
        for (size_t i = depth; i-- > 0;)
            buf_adds(&text, i % 2 ? "}" : "]");
        assert_int_equal(json_minify(buf_str(&text), text.len, &out), depth <= JSON_DEPTH_MAX);
        assert_string_equal(buf_str(&out), depth <= JSON_DEPTH_MAX ? buf_str(&text) : "");
    }
}

static const char *const seeds[] = {
    "{\"key\": \"k\", \"data\": {\"n\": 1, \"list\": [true, null, -0.5e3]}, \"priority\": 5}",
    "[1, [2, {\"a\": \"b\\n\\u0041\"}], \"\", {}, []]",
    "{\"a\":1,\"a\":2}",
    "{\"o\":{\"a\":1,\"b\":{\"a\":1,\"a\":1}}}",
    "{\"long\":123456789012345678901234567890,\"e\":1e400}",
    "{\"half\":\"\\ud800\",\"nul\":\"\\u0000\"}",
};

static bool jansson_takes(const char *text, size_t len, size_t flags)
{
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | flags, NULL);
    json_decref(value);
    return value != NULL;
}

/* jansson also refuses what text alone does not show: half characters, numbers beyond a double. */
static bool is_beyond_text(const char *text)
{
    return strstr(text, "\\u") || strpbrk(text, "eE");
}

static void compare(const char *text, size_t len)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    struct plain_object object;
    bool is_utf8 = text_is_utf8(text, len);
    bool is_valid = is_utf8 && json_minify(text, len, &out);
    if (is_valid != jansson_takes(text, len, JSON_ALLOW_NUL) && !is_beyond_text(text))
        fail_msg("%s: %d", text, is_valid);
    if (is_valid) { /* once more: nothing left to take away */
        CLEANUP(buf_fini) struct buf again = BUF_INIT;
        assert_true(json_minify(buf_str(&out), out.len, &again));
        assert_string_equal(buf_str(&again), buf_str(&out));
    }
    if (is_utf8 && plain_parse(text, len, &object) &&
        !jansson_takes(text, len, JSON_REJECT_DUPLICATES))
        fail_msg("plain, but not to jansson: %s", text);
}

static void as_jansson_says(void **state)
{
    static const char bytes[] = "\"\\{}[]:,.-+eE019 \tua\x01\xc3\xa4";
    (void)state;
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        size_t len = strlen(seeds[i]);
        compare(seeds[i], len);
        for (size_t at = 0; at < len; at++) {
            CLEANUP_FREE char *text = xstrdup(seeds[i]);
            for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
                text[at] = bytes[b];
                compare(text, len);
            }
            memmove(text + at, text + at + 1, len - at);
            compare(text, len - 1);
        }
    }
}

static void plain_lines(void **state)
{
    (void)state;
    struct plain_object o;
    static const char line[] = " {\"key\":\"k\" , \"data\":{\"a\":[1,\"x\\n\"]},\"n\" : 12 } ";
    assert_true(plain_parse(line, strlen(line), &o));
    assert_int_equal(o.len, 3);
    assert_memory_equal(plain_find(&o, "n")->at, "12", plain_find(&o, "n")->len);
    assert_int_equal(plain_find(&o, "data")->len, strlen("{\"a\":[1,\"x\\n\"]}"));
    assert_null(plain_find(&o, "dat"));
    static const char *const others[] = {"\"k\"", "{\"a\":\"\\u0041\"}", "{\"a\\n\":1}",
        "{\"a\":1,\"a\":1}", "{\"a\":{\"b\":1,\"b\":1}}", "{\"a\":1e5}", "[[[[[[[[[[1]]]]]]]]]]"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(plain_parse(others[i], strlen(others[i]), &o));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json),
        cmocka_unit_test(nothing_is_read_behind_the_end),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(as_jansson_says),
        cmocka_unit_test(plain_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
