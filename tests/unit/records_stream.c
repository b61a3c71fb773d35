/* The readers of JSON lines, CSV, TSV and text: streamed through a pipe in small pieces. */
#include <fcntl.h>
#include <poll.h>
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

#include "common/base/buf.h"
#include "common/records/records.h"

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

static void add_record(struct buf *out, const struct record *record)
{
    buf_addf(out, "%s|%s|", record->key, record->data ? record->data : "");
    if (record->has_priority)
        buf_addf(out, "%lld", (long long)record->priority);
    buf_addf(out, "|%lld\n", (long long)record->line);
}

static void wait_readable(int fd)
{
    struct pollfd more = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&more, 1, 60000), 1);
}

/* All records as "key|data|priority|line\n". An error: its text on a line; the last one, unless
 * goes_on and it is a record's. */
static void read_records(struct records *r, bool goes_on, struct buf *out)
{
    struct record record;
    struct err err = {""};
    enum rc rc;
    while ((rc = records_header(r, &err)) == RC_AGAIN)
        wait_readable(r->lines.fd);
    if (rc == RC_OK)
        do {
            rc = records_next(r, &record, &err);
            if (rc == RC_ROW)
                add_record(out, &record);
            else if (rc == RC_AGAIN)
                wait_readable(r->lines.fd);
            else if (rc == RC_INVALID && goes_on)
                buf_addf(out, "!%lld %s\n", (long long)record.line, err.text);
        } while (rc == RC_ROW || rc == RC_AGAIN || (rc == RC_INVALID && goes_on));
    if (rc != RC_DONE)
        buf_addf(out, "%s\n", err.text);
}

static char *read_fed(struct feed *f, const char *name, const struct records_opts *opts,
    bool goes_on, bool is_nonblocking)
{
    struct records r;
    struct buf out = BUF_INIT;
    int fd = feed_start(f);
    if (is_nonblocking)
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    records_init(&r, fd, name, opts);
    read_records(&r, goes_on, &out);
    records_fini(&r);
    records_fini(&r);
    (void)close(fd);
    (void)pthread_join(f->thread, NULL);
    return buf_take(&out);
}

static char *read_all(
    const char *text, size_t len, size_t piece, enum record_format format, const char *name)
{
    struct feed f = {.text = text, .len = len, .piece = piece};
    return read_fed(&f, name, &(struct records_opts){.format = format}, false, false);
}

static void expect(
    const char *text, enum record_format format, const char *name, const char *wanted)
{
    const size_t pieces[] = {1, 7, 65536};
    for (size_t i = 0; i < 3; i++) {
        char *got = read_all(text, strlen(text), pieces[i], format, name);
        assert_string_equal(got, wanted);
        free(got);
        struct feed f = {.text = text, .len = strlen(text), .piece = pieces[i]};
        got = read_fed(&f, name, &(struct records_opts){.format = format}, false, true);
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
    expect("key\nhttps://x/1\nhttps://x/2", FORMAT_CSV, "f", "https://x/1|||2\nhttps://x/2|||3\n");
    expect("key,n\n1,2\n", FORMAT_CSV, "f", "1|{\"n\":\"2\"}||2\n");
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
    expect_in("\nhttps://x/1\nhttps://x/2\n", FORMAT_CSV, "f:2: no column \"key\" in the header");
    expect_in("Key\tn\na\t1\n", FORMAT_TSV, "f:1: no column \"key\" in the header");
}

static void test_text_and_guessing(void **state)
{
    (void)state;
    expect(
        "one\r\n\n  \ntwo words\n#three", FORMAT_TEXT, "f", "one|||1\ntwo words|||4\n#three|||5\n");
    expect("key\na\n", FORMAT_GUESS, "items.csv", "a|||2\n");
    expect("key\tx\na\t\n", FORMAT_GUESS, "items.TAB", "a|{\"x\":\"\"}||2\n");
    expect("k,x\n", FORMAT_GUESS, "items.csv/list", "k,x|||1\n");
    expect("{\"key\":\"a\"}\n", FORMAT_GUESS, "x.jsonl", "a|||1\n");
    expect("{\"key\":\"a\"}\n", FORMAT_GUESS, "standard input", "a|||1\n");
    expect("{a}\n", FORMAT_GUESS, "x.txt", "{a}|||1\n");
    expect("https://x\n", FORMAT_GUESS, "standard input", "https://x|||1\n");
    char *got = read_all("a\0b\n", 4, 64, FORMAT_TEXT, "f");
    assert_non_null(strstr(got, "f:1: there is a NUL byte"));
    free(got);
}

/* As a caller reads it that passes bad records over. */
static void expect_going_on(
    const char *text, enum record_format format, const char *key_name, const char *wanted)
{
    struct records_opts opts = {
        .format = format, .key_name = key_name, .key_option = "discover.key"};
    struct feed f = {.text = text, .len = strlen(text), .piece = 3};
    char *got = read_fed(&f, "f", &opts, true, true);
    assert_string_equal(got, wanted);
    free(got);
}

static void test_going_on_behind_a_bad_record(void **state)
{
    (void)state;
    expect_going_on("a\n\xff\nb\x01\nc", FORMAT_TEXT, NULL,
        "a|||1\n!2 f:2: this line is not UTF-8; convert the file: iconv -f latin1 -t utf-8, say\n"
        "!3 f:3: an item key has no control characters (byte 2)\nc|||4\n");
    expect_going_on("\"a\"\n{\"key\":1.5}\n{\"x\":1}\n 7 \n", FORMAT_JSONL, NULL,
        "a|||1\n!2 f:2: \"key\" must be a string or a whole number\n"
        "!3 f:3: no \"key\" in this object; name the key's member by discover.key\n7|||4\n");
    expect_going_on("key,n\na,\"x\"y,\"two\nlines\"\nb\nc,\"1\n\xff\n\"\nd,1\n\ne,\"\n", FORMAT_CSV,
        NULL,
        "!2 f:2: column 2: text after the closing quote; write a quote inside quotes twice\n"
        "!4 f:4: 1 columns, but the header has 2\n"
        "!5 f:5: line 6: this line is not UTF-8; convert the file: iconv -f latin1 -t utf-8, say\n"
        "d|{\"n\":\"1\"}||8\n!10 f:10: the quote opened in line 10 is never closed\n");
}

static void test_key_of_another_name(void **state)
{
    (void)state;
    expect_going_on("u,\"n\nm\"\na,1\n", FORMAT_CSV, "n\nm", "1|{\"u\":\"a\"}||3\n");
    expect_going_on("{\"id\":1,\"key\":2}\n", FORMAT_JSONL, "id", "1|{\"key\":2}||1\n");
    expect_going_on("", FORMAT_CSV, "id", "");
    expect_going_on("u,n\na,1\n", FORMAT_CSV, NULL,
        "f:1: no column \"key\" in the header line: begin the file with one that has a column "
        "\"key\", or set discover.key = COLUMN; a list without a header, a key a line, is a .txt "
        "file\n");
    expect_going_on("\nurl,n\nu,1\n", FORMAT_CSV, "ulr",
        "f:2: no column \"ulr\"; did you mean discover.key = url?\n");
    expect_going_on("url\tn\nu\t1\n", FORMAT_TSV, "size",
        "f:1: no column \"size\"; set discover.key to a name of this line\n");
}

static void test_the_end_may_be_declared(void **state)
{
    (void)state;
    struct records r;
    struct record record;
    struct err err = {""};
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    records_init(&r, fds[0], "f", &(struct records_opts){.format = FORMAT_TEXT});
    assert_int_equal(write(fds[1], "a\nb", 3), 3);
    assert_int_equal(records_next(&r, &record, &err), RC_ROW);
    assert_int_equal(records_next(&r, &record, &err), RC_AGAIN);
    records_end(&r);
    assert_int_equal(records_next(&r, &record, &err), RC_ROW);
    assert_string_equal(record.key, "b");
    assert_int_equal(records_next(&r, &record, &err), RC_DONE);
    assert_int_equal(records_next(&r, &record, &err), RC_DONE);
    records_fini(&r);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

/* Nothing is lost or read twice where the stream pauses, within a line or within a quote. */
static void test_pauses(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
        const char *key, *data;
    } steps[] = {
        {"key,t", RC_AGAIN, NULL, NULL},
        {"\nab", RC_AGAIN, NULL, NULL},
        {",\"x\n", RC_AGAIN, NULL, NULL},
        {"longer", RC_AGAIN, NULL, NULL},
        {"\"\nc,1\nd,", RC_ROW, "ab", "{\"t\":\"x\\nlonger\"}"},
        {"", RC_ROW, "c", "{\"t\":\"1\"}"},
        {"", RC_AGAIN, NULL, NULL},
        {"2\n", RC_ROW, "d", "{\"t\":\"2\"}"},
    };
    (void)state;
    struct records r;
    struct record record;
    struct err err = {""};
    int fds[2];
    enum rc rc = RC_AGAIN;
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    records_init(&r, fds[0], "f", &(struct records_opts){.format = FORMAT_CSV});
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        size_t len = strlen(steps[i].text);
        assert_int_equal(write(fds[1], steps[i].text, len), len);
        if (r.header.len == 0)
            rc = records_header(&r, &err);
        if (r.header.len > 0)
            rc = records_next(&r, &record, &err);
        assert_int_equal(rc, steps[i].rc);
        if (rc != RC_ROW)
            continue;
        assert_string_equal(record.key, steps[i].key);
        assert_string_equal(record.data, steps[i].data);
    }
    records_fini(&r);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void test_formats_by_word(void **state)
{
    (void)state;
    enum record_format format = FORMAT_GUESS;
    assert_int_equal(records_format("xml", &format), RC_NOTFOUND);
    assert_int_equal(format, FORMAT_GUESS);
    assert_int_equal(records_format("jsonl", &format), RC_OK);
    assert_int_equal(format, FORMAT_JSONL);
    assert_int_equal(records_format("text", &format), RC_OK);
    assert_int_equal(format, FORMAT_TEXT);
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
        cmocka_unit_test(test_going_on_behind_a_bad_record),
        cmocka_unit_test(test_key_of_another_name),
        cmocka_unit_test(test_the_end_may_be_declared),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_formats_by_word),
        cmocka_unit_test(test_lines_up_to_one_mebibyte),
        cmocka_unit_test(test_a_quote_never_closed_ends),
    };
    /* A reader that gives up early is part of the tests. */
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
