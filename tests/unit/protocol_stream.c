/* Lines out of bytes, however they are cut, in bounded memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/protocol/message.h"
#include "common/protocol/stream.h"

static void put(struct stream *s, const char *bytes, size_t len)
{
    buf_add(stream_room(s), bytes, len);
}

static void expect(struct stream *s, const char *line)
{
    const char *got = NULL;
    size_t len = 0;
    assert_int_equal(stream_next(s, &got, &len, NULL), RC_ROW);
    assert_string_equal(got, line);
    assert_int_equal(len, strlen(line));
}

static void expect_nothing(struct stream *s)
{
    const char *got;
    size_t len;
    assert_int_equal(stream_next(s, &got, &len, NULL), RC_AGAIN);
}

static void test_any_cut(void **state)
{
    static const char text[] = "one\n\n  \r\ntwo\r\nthree\n";
    (void)state;
    for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
        struct stream s = STREAM_INIT;
        const char *got;
        size_t len, lines = 0;
        put(&s, text, cut);
        while (stream_next(&s, &got, &len, NULL) == RC_ROW)
            lines++;
        put(&s, text + cut, sizeof(text) - 1 - cut);
        while (stream_next(&s, &got, &len, NULL) == RC_ROW)
            lines++;
        assert_int_equal(lines, 3);
        assert_int_equal(s.number, 5);
        assert_string_equal(got, "three");
        stream_fini(&s);
    }
}

static void test_the_last_line_counts_at_the_end(void **state)
{
    struct stream s = STREAM_INIT;
    (void)state;
    put(&s, "a\nb", 3);
    expect(&s, "a");
    expect_nothing(&s);
    stream_end(&s);
    expect(&s, "b");
    expect_nothing(&s);
    stream_end(&s);
    expect_nothing(&s);
    stream_fini(&s);
}

static void put_line(struct stream *s, size_t len)
{
    struct buf line = BUF_INIT;
    memset(buf_room(&line, len), 'x', len);
    buf_wrote(&line, len);
    put(s, line.data, line.len);
    buf_fini(&line);
}

static void test_line_limit(void **state)
{
    static const size_t over[] = {0, 0, 1};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct stream s = STREAM_INIT;
        struct err err = {""};
        const char *got = NULL;
        size_t len = 0;
        put_line(&s, MESSAGE_MAX_BYTES - 1 + i);
        put(&s, "\n", 1);
        assert_int_equal(stream_next(&s, &got, &len, &err), over[i] ? RC_PROTO : RC_ROW);
        assert_int_equal(len, MESSAGE_MAX_BYTES - 1 + i);
        stream_fini(&s);
    }
}

static void test_an_endless_line_is_no_endless_memory(void **state)
{
    struct stream s = STREAM_INIT;
    const char *got;
    size_t len;
    (void)state;
    put_line(&s, MESSAGE_MAX_BYTES + 1);
    assert_true(stream_room(&s)->len < stream_wants(&s));
    assert_int_equal(stream_next(&s, &got, &len, NULL), RC_PROTO);
    stream_fini(&s);
}

static void test_nul(void **state)
{
    struct stream s = STREAM_INIT;
    struct err err = {""};
    const char *got;
    size_t len;
    (void)state;
    put(&s, "a\0b\n", 4);
    assert_int_equal(stream_next(&s, &got, &len, &err), RC_PROTO);
    assert_non_null(strstr(err.text, "NUL"));
    assert_int_equal(len, 3);
    stream_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut),
        cmocka_unit_test(test_the_last_line_counts_at_the_end),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_an_endless_line_is_no_endless_memory),
        cmocka_unit_test(test_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
