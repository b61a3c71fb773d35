/* What a handler's end means: every exit status, signals, stdout to JSON, stderr to one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "worker/result.h"

#define EXITED(n) ((n) << 8)

static enum end_cause expected_cause(int status)
{
    static const int fail[] = {64, 65, 66, 67, 68, 70, 100};
    static const int pause[] = {77, 78, 126, 127};
    for (size_t i = 0; i < sizeof(fail) / sizeof(fail[0]); i++)
        if (fail[i] == status)
            return END_FAIL;
    for (size_t i = 0; i < sizeof(pause) / sizeof(pause[0]); i++)
        if (pause[i] == status)
            return END_STAGE_PAUSE;
    return status == 0 ? END_DONE : status == 99 ? END_SKIP : END_RETRY;
}

static void test_every_exit_status(void **state)
{
    (void)state;
    for (int status = 0; status <= 255; status++)
        if (result_cause(EXITED(status)) != expected_cause(status))
            fail_msg("exit %d gives cause %d", status, (int)result_cause(EXITED(status)));
}

static void test_every_signal_is_a_retry(void **state)
{
    (void)state;
    for (int signum = 1; signum < 65; signum++) {
        assert_int_equal(result_cause(signum), END_RETRY);
        assert_int_equal(result_cause(signum | 0x80), END_RETRY); /* with a core */
    }
}

static void test_texts_of_an_end(void **state)
{
    static const struct {
        int status;
        const char *how, *ended;
    } rows[] = {
        {EXITED(3), "exit 3", "exit 3"},
        {EXITED(255), "exit 255", "exit 255"},
        {SIGKILL, "signal 9", "killed by signal 9 (SIGKILL)"},
        {SIGSEGV | 0x80, "signal 11", "killed by signal 11 (SIGSEGV)"},
        {50, "signal 50", "killed by signal 50"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buf_fini) struct buf how = BUF_INIT;
        CLEANUP(buf_fini) struct buf ended = BUF_INIT;
        result_how(rows[i].status, &how);
        result_ended(rows[i].status, &ended);
        assert_string_equal(buf_str(&how), rows[i].how);
        assert_string_equal(buf_str(&ended), rows[i].ended);
    }
}

static void test_timeout_texts(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {30000, "timeout after 30 s"},
        {1800000, "timeout after 30 min"},
        {7200000, "timeout after 2 h"},
        {90000, "timeout after 90 s"},
        {1500, "timeout after 1500 ms"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        result_timeout(rows[i].ms, &text);
        assert_string_equal(buf_str(&text), rows[i].text);
    }
}

struct text_row {
    const char *in;
    size_t len;
    const char *out;
};
#define ROW(in, out)                                                                               \
    {                                                                                              \
        in, sizeof(in) - 1, out                                                                    \
    }

static void test_stdout_becomes_json(void **state)
{
    static const struct text_row rows[] = {
        ROW("", "null"),
        ROW(" \n\t\r\n", "null"),
        ROW("{\"a\": 1}\n", "{\"a\": 1}"),
        ROW("  [1,2]  ", "[1,2]"),
        ROW("42\n", "42"),
        ROW("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"),
        ROW("\"text\"\n", "\"text\""),
        ROW("true", "true"),
        ROW("hello\n", "\"hello\""),
        ROW("  two\nlines\n\n", "\"  two\\nlines\""),
        ROW("{\"a\":1} trailing", "\"{\\\"a\\\":1} trailing\""),
        ROW("{\"a\":1}{\"b\":2}", "\"{\\\"a\\\":1}{\\\"b\\\":2}\""),
        ROW("bad \xff byte", "\"bad \xef\xbf\xbd byte\""),
        ROW("cut \xe2\x82", "\"cut \xef\xbf\xbd\xef\xbf\xbd\""),
        ROW("nul \0 byte", "\"nul \xef\xbf\xbd byte\""),
        ROW("gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""),
        ROW("\"bad \xff\"", "\"\\\"bad \xef\xbf\xbd\\\"\""),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buf_fini) struct buf out = BUF_INIT;
        result_json(rows[i].in, rows[i].len, &out);
        assert_string_equal(buf_str(&out), rows[i].out);
        json_t *parsed = json_loads(buf_str(&out), JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
        assert_non_null(parsed);
        json_decref(parsed);
    }
}

static void test_last_line_of_stderr(void **state)
{
    static const struct text_row rows[] = {
        ROW("", ""),
        ROW("\n \n\t\n", ""),
        ROW("one", "one"),
        ROW("one\ntwo\n", "two"),
        ROW("one\ntwo  \r\n\n  \n", "two"),
        ROW("\n\nHTTP 429 from example.com\n", "HTTP 429 from example.com"),
        ROW("red \x1b[31mtext\n", "red \\x1b[31mtext"),
        ROW("/a.js:2\nthrow new Error('x')\n^\n\nTypeError: x is no y\n    at f (/a.js:2:7)\n"
            "    at node:internal/main:28:49\n\nNode.js v20.20.2\n",
            "TypeError: x is no y"),
        ROW("first\n\nError: HTTP 503\n    at f (/a.js:2:7) {\n  status: 503\n}\n\n"
            "Node.js v20.20.2",
            "Error: HTTP 503"),
        ROW("/a.js:2\nthrow 'nothing'\n^\nnothing\n\nNode.js v20.20.2\n", "nothing"),
        ROW("Node.js v20.20.2\n", "Node.js v20.20.2"),
        ROW("Error: caught\n    at f (/a.js:2:7)\nit goes on\n", "it goes on"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buf_fini) struct buf out = BUF_INIT;
        result_last_line(rows[i].in, rows[i].len, &out);
        assert_string_equal(buf_str(&out), rows[i].out);
    }
}

static void test_last_line_is_cut_between_characters(void **state)
{
    CLEANUP(buf_fini) struct buf in = BUF_INIT;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    (void)state;
    buf_adds(&in, "a");
    for (int i = 0; i < 400; i++)
        buf_adds(&in, "\xc3\xbc");
    result_last_line(in.data, in.len, &out);
    assert_int_equal(out.len, RESULT_WHY_MAX - 1);
    assert_int_equal(strlen(out.data), out.len);
    assert_memory_equal(out.data + out.len - 2, "\xc3\xbc", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_exit_status),
        cmocka_unit_test(test_every_signal_is_a_retry),
        cmocka_unit_test(test_texts_of_an_end),
        cmocka_unit_test(test_timeout_texts),
        cmocka_unit_test(test_stdout_becomes_json),
        cmocka_unit_test(test_last_line_of_stderr),
        cmocka_unit_test(test_last_line_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
