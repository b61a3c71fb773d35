/* The readers of JSON lines, CSV, TSV and text: streamed through a pipe in small pieces. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/records.h"

/* Feeds text into a pipe, `piece` bytes a write: no line may depend on how it arrives. */
struct feed {
    const char *text;
    size_t len, piece;
    int fd;
    pthread_t thread;
};

static void *feed_run(void *arg)
{
    struct feed *f = arg;
    for (size_t at = 0; at < f->len;) {
        size_t n = f->len - at < f->piece ? f->len - at : f->piece;
        ssize_t wrote = write(f->fd, f->text + at, n);
        if (wrote < 0)
            break; /* the reader gave up, as it may */
        at += (size_t)wrote;
    }
    (void)close(f->fd);
    return NULL;
}

static int feed_start(struct feed *f)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    f->fd = fds[1];
    assert_int_equal(pthread_create(&f->thread, NULL, feed_run, f), 0);
    return fds[0];
}

/* All records as "key|data|priority|line\n", then the error text, if any. */
static char *read_all(
    const char *text, size_t len, size_t piece, enum record_format format, const char *name)
{
    struct feed f = {.text = text, .len = len, .piece = piece};
    struct records r;
    struct record record;
    struct err err = {""};
    struct buf out = BUF_INIT;
    enum rc rc;
    int fd = feed_start(&f);
    records_init(&r, fd, name, format);
    while ((rc = records_next(&r, &record, &err)) == RC_ROW) {
        buf_addf(&out, "%s|%s|", record.key, record.data ? record.data : "");
        if (record.has_priority)
            buf_addf(&out, "%lld", (long long)record.priority);
        buf_addf(&out, "|%lld\n", (long long)record.line);
    }
    if (rc != RC_DONE)
        buf_addf(&out, "%s\n", err.text);
    records_fini(&r);
    (void)close(fd);
    (void)pthread_join(f.thread, NULL);
    return buf_take(&out);
}

static void expect(
    const char *text, enum record_format format, const char *name, const char *wanted)
{
    const size_t pieces[] = {1, 7, 65536};
    for (size_t i = 0; i < 3; i++) {
        char *got = read_all(text, strlen(text), pieces[i], format, name);
        assert_string_equal(got, wanted);
        free(got);
    }
}

static void expect_in(const char *text, enum record_format format, const char *part)
{
    char *got = read_all(text, strlen(text), 64, format, "f");
    if (!strstr(got, part))
        fail_msg("\"%s\" is not in \"%s\"", part, got);
    free(got);
}

static void test_json_lines(void **state)
{
    (void)state;
    expect("{\"key\":\"a\"}\n\n{\"key\":\"b\",\"data\":{\"n\": 1.10},\"priority\":-5}\r\n"
           "{\"x\": [1,{\"}\":\"]\"}], \"key\":\"c\" , \"y\":\"\\\"}\"}",
        FORMAT_JSONL, "f",
        "a|||1\nb|{\"n\": 1.10}|-5|3\nc|{\"x\":[1,{\"}\":\"]\"}],\"y\":\"\\\"}\"}||4\n");
    expect("{\"key\":17,\"big\":123456789012345678901234567890}\n", FORMAT_JSONL, "f",
        "17|{\"big\":123456789012345678901234567890}||1\n");
    expect("{\"key\":\"a\",\"data\":null}\n{\"data\":\"t\",\"key\":\"\\u00e4\"}\n", FORMAT_JSONL,
        "f", "a|||1\n\xc3\xa4|\"t\"||2\n");
}

static void test_bad_json_names_its_line(void **state)
{
    (void)state;
    expect_in("{\"key\":\"a\"}\n\n{\"key\":}\n", FORMAT_JSONL, "a|||1\nf:3: not valid JSON");
    expect_in("[1]\n", FORMAT_JSONL, "f:1: not a JSON object");
    expect_in("{\"name\":\"a\"}\n", FORMAT_JSONL, "f:1: no \"key\"");
    expect_in("{\"key\":\"\"}\n", FORMAT_JSONL, "f:1: ");
    expect_in("{\"key\":1.5}\n", FORMAT_JSONL, "\"key\" must be a string");
    expect_in("{\"key\":\"a\",\"key\":\"b\"}\n", FORMAT_JSONL, "f:1: not valid JSON: duplicate");
    expect_in("{\"key\":\"a\",\"priority\":1.5}\n", FORMAT_JSONL, "whole number");
    expect_in("{\"key\":\"a\",\"priority\":1000001}\n", FORMAT_JSONL, "whole number");
    expect_in("{\"key\":\"a\",\"priority\":1000000}\n", FORMAT_JSONL, "a||1000000|1\n");
    expect_in("{\"key\":\"a\",\"data\":{},\"prio\":1}\n", FORMAT_JSONL, "\"prio\" stands beside");
    expect_in("{\"key\":\"a\xff\"}\n", FORMAT_JSONL, "f:1: this line is not UTF-8");
}

static void test_csv(void **state)
{
    (void)state;
    expect("\xef\xbb\xbfname,key,note\r\nx,k1,plain\r\n\r\n\"a,b\",k2,\"say \"\"hi\"\"\"\r\n"
           ",k3,\"two\r\nlines\n\"\n",
        FORMAT_CSV, "f",
        "k1|{\"name\":\"x\",\"note\":\"plain\"}||2\n"
        "k2|{\"name\":\"a,b\",\"note\":\"say \\\"hi\\\"\"}||4\n"
        "k3|{\"name\":\"\",\"note\":\"two\\r\\nlines\\n\"}||5\n");
    expect("url\nhttps://x/1\nhttps://x/2", FORMAT_CSV, "f", "https://x/1|||2\nhttps://x/2|||3\n");
    expect("id,n\n1,2\n", FORMAT_CSV, "f", "1|{\"n\":\"2\"}||2\n");
    expect("", FORMAT_CSV, "f", "");
    expect("key\tq\na\t\"b\nc\td,e\n", FORMAT_TSV, "f",
        "a|{\"q\":\"\\\"b\"}||2\nc|{\"q\":\"d,e\"}||3\n");
}

static void test_bad_csv_names_its_line(void **state)
{
    (void)state;
    expect_in("key,n\na,1\nb\n", FORMAT_CSV, "f:3: 1 columns, but the header has 2");
    expect_in("key,n\na,1,2\n", FORMAT_CSV, "f:2: 3 columns");
    expect_in("key,n,n\n", FORMAT_CSV, "f:1: two columns are called \"n\"");
    expect_in("key,n\na,\"x\"y\n", FORMAT_CSV, "f:2: column 2: text after the closing quote");
    expect_in("key,n\na,\"x\nb,2\n", FORMAT_CSV, "the quote opened in line 2 is never closed");
    expect_in("key,n\n,1\n", FORMAT_CSV, "f:2: ");
}

static void test_text_and_guessing(void **state)
{
    (void)state;
    expect(
        "one\r\n\n  \ntwo words\n#three", FORMAT_TEXT, "f", "one|||1\ntwo words|||4\n#three|||5\n");
    expect("k\na\n", FORMAT_GUESS, "items.csv", "a|||2\n");
    expect("{\"key\":\"a\"}\n", FORMAT_GUESS, "x.jsonl", "a|||1\n");
    expect("{\"key\":\"a\"}\n", FORMAT_GUESS, "standard input", "a|||1\n");
    expect("{a}\n", FORMAT_GUESS, "x.txt", "{a}|||1\n");
    expect("https://x\n", FORMAT_GUESS, "standard input", "https://x|||1\n");
    char *got = read_all("a\0b\n", 4, 64, FORMAT_TEXT, "f");
    assert_non_null(strstr(got, "f:1: there is a NUL byte"));
    free(got);
}

/* {"key":"k","d":"xxx…"} of exactly len bytes. */
static char *long_line(size_t len)
{
    char *line = malloc(len + 2);
    assert_non_null(line);
    memset(line, 'x', len);
    memcpy(line, "{\"key\":\"k\",\"d\":\"", 16);
    memcpy(line + len - 2, "\"}\n", 4);
    return line;
}

static void test_lines_up_to_one_mebibyte(void **state)
{
    (void)state;
    const size_t sizes[] = {LINE_MAX_BYTES - 1, LINE_MAX_BYTES, LINE_MAX_BYTES + 1};
    for (size_t i = 0; i < 3; i++)
        for (size_t newline = 0; newline < 2; newline++) {
            char *line = long_line(sizes[i]);
            char *got = read_all(line, sizes[i] + newline, 65536, FORMAT_JSONL, "f");
            if (sizes[i] <= LINE_MAX_BYTES)
                assert_int_equal(strncmp(got, "k|{\"d\":\"xxx", 11), 0);
            else
                assert_string_equal(got, "f:1: longer than 1048576 bytes\n");
            free(got);
            free(line);
        }
}

static void test_a_quote_never_closed_ends(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    buf_adds(&text, "key,n\na,\"");
    while (text.len < 3 * LINE_MAX_BYTES)
        buf_adds(&text, "0123456789012345678901234567890123456789\n");
    char *got = read_all(buf_str(&text), text.len, 65536, FORMAT_CSV, "f");
    assert_non_null(strstr(got, "the quote opened in line 2 holds more than 1048576 bytes"));
    free(got);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_bad_json_names_its_line),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_bad_csv_names_its_line),
        cmocka_unit_test(test_text_and_guessing),
        cmocka_unit_test(test_lines_up_to_one_mebibyte),
        cmocka_unit_test(test_a_quote_never_closed_ends),
    };
    /* A reader that gives up early is part of the tests. */
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
