/* Writing JSON, cutting members out of it, and log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/sys.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void commas_and_escapes_are_right(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    struct json j;
    json_init(&j, &out);
    json_open_object(&j, NULL);
    json_str(&j, "a\"b", "x\n\t\\\x01\x7f\xc3\xa4\xff");
    json_str(&j, "none", NULL);
    json_open_array(&j, "list");
    json_int(&j, NULL, INT64_MIN);
    json_open_object(&j, NULL);
    json_end_object(&j);
    json_num(&j, NULL, 0.5);
    json_num(&j, NULL, 1.0 / 0.0);
    json_end_array(&j);
    json_bool(&j, "yes", true);
    json_raw(&j, "raw", "{\"x\":1}");
    json_raw(&j, "void", NULL);
    json_strn(&j, "nul", "a\0b", 3);
    json_end_object(&j);
    assert_string_equal(buf_str(&out),
        "{\"a\\\"b\":\"x\\n\\t\\\\\\u0001\\u007f\xc3\xa4\\ufffd\",\"none\":null,"
        "\"list\":[-9223372036854775808,{},0.5,null],\"yes\":true,\"raw\":{\"x\":1},"
        "\"void\":null,\"nul\":\"a\\u0000b\"}");
}

static void members_are_cut_out(void **state)
{
    (void)state;
    static const char text[] =
        " { \"in\" : {\"data\":[1,{\"key\":\"}]\"}], \"key\":2} ,\"s\":\"a\\\"key\\\":9,}\" , "
        "\"k\\u0065y\" : \"found\\\\\",\"\\ud83d\\ude00\":-1.5e3,\"e\":{},\"t\":true}";
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"in", "{\"data\":[1,{\"key\":\"}]\"}], \"key\":2}"},
        {"key", "\"found\\\\\""},
        {"s", "\"a\\\"key\\\":9,}\""},
        {"\xf0\x9f\x98\x80", "-1.5e3"},
        {"e", "{}"},
        {"t", "true"},
        {"data", NULL},
        {"ke", NULL},
        {"keys", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *start = NULL;
        size_t len = 0;
        bool is_found = json_member(text, rows[i].key, &start, &len);
        assert_int_equal(is_found, rows[i].value != NULL);
        if (!is_found)
            continue;
        assert_int_equal(len, strlen(rows[i].value));
        assert_memory_equal(start, rows[i].value, len);
    }
}

static void broken_text_has_no_members(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "[]", "{", "{}", "null", "{\"a\"", "{\"a\\u00", "{\"a\\",
        "{\"\\u0000\":1}", "{\"a\" 1}", "{\"b\":{", "{\"b\":\"x", "{\"\\ud800\":1}"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *start;
        size_t len;
        assert_false(json_member(rows[i], "a", &start, &len));
    }
}

/* What one call of fn wrote to descriptor 2. */
static void captured(void (*fn)(void), struct buf *out)
{
    int fds[2];
    assert_int_equal(sys_pipe(fds, false, NULL), RC_OK);
    int kept = dup(2);
    assert_int_equal(dup2(fds[1], 2), 2);
    fn();
    assert_int_equal(dup2(kept, 2), 2);
    (void)close(kept);
    (void)close(fds[1]);
    assert_int_equal(sys_read_fd(fds[0], 65536, out, NULL), RC_OK);
    (void)close(fds[0]);
}

static void write_line(void)
{
    struct logline l;
    log_setup("worker", 3, LOG_LEVEL_INFO);
    log_begin(&l, LOG_LEVEL_WARN, "test.event");
    log_str(&l, "plain", "a/b-c");
    log_str(&l, "blank", "two words");
    log_str(&l, "evil", "a\"b\\\n\x1b\xc2\x9b\xff=");
    log_str(&l, "none", NULL);
    log_int(&l, "n", -5);
    log_end(&l);
    log_msg(LOG_LEVEL_DEBUG, "test.silent", "not shown");
}

static void a_log_line_is_quoted(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    captured(write_line, &out);
    const char *level = strstr(buf_str(&out), " level=warn proc=worker pid=");
    assert_non_null(level);
    assert_memory_equal(buf_str(&out), "ts=2", 4);
    assert_non_null(strstr(level, " slot=3 event=test.event plain=a/b-c blank=\"two words\" "
                                  "evil=\"a\\\"b\\\\\\n\\x1b\\xc2\\x9b\\xff=\" none=\"\" n=-5\n"));
    assert_ptr_equal(strchr(buf_str(&out), '\n'), buf_str(&out) + out.len - 1);
}

static void write_long_line(void)
{
    char big[5000];
    memset(big, '\n', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    struct logline l;
    log_begin(&l, LOG_LEVEL_ERROR, "test.long");
    log_str(&l, "big", big);
    log_str(&l, "lost", big);
    log_end(&l);
}

static void a_long_log_line_is_cut(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    captured(write_long_line, &out);
    assert_in_range(out.len, 1900, 2048);
    assert_memory_equal(buf_str(&out) + out.len - 2, "\"\n", 2);
    assert_null(strstr(buf_str(&out), "lost="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_escapes_are_right),
        cmocka_unit_test(members_are_cut_out),
        cmocka_unit_test(broken_text_has_no_members),
        cmocka_unit_test(a_log_line_is_quoted),
        cmocka_unit_test(a_long_log_line_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
