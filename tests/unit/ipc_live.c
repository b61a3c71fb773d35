/* The rings of live output: whole lines, in order, bounded; who reads late loses the oldest, and is
 * told how much; who reads while somebody writes gets no torn line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/ipc/live.h"

static struct live_mem *open_live(bool is_writer, int fd)
{
    struct live_mem *live = NULL;
    assert_int_equal(live_map(fd, is_writer, &live, NULL), RC_OK);
    return live;
}

static void test_lines_come_in_order_and_once(void **state)
{
    CLEANUP_FD int fd = -1;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    uint64_t at = 0, other = 0;
    (void)state;
    assert_int_equal(live_new(2, &fd, NULL), RC_OK);
    struct live_mem *writer = open_live(true, fd), *reader = open_live(false, fd);
    live_begin(writer, 1);
    live_write(writer, 1, "one\n", 4);
    live_write(writer, 1, "two\nthree\n", 10);
    assert_int_equal(live_read(reader, 1, &at, &out), 0);
    assert_string_equal(buf_str(&out), "one\ntwo\nthree\n");
    assert_int_equal(live_read(reader, 1, &at, &out), 0);
    assert_int_equal(out.len, 14);
    assert_int_equal(live_read(reader, 0, &other, &out), 0);
    assert_int_equal(out.len, 14);
    assert_int_equal(atomic_load(&reader->word), 2);
    live_unmap(writer);
    live_unmap(reader);
}

static void test_who_is_late_is_told_what_it_lost(void **state)
{
    CLEANUP_FD int fd = -1;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    char line[101];
    uint64_t at = 0, lost;
    (void)state;
    assert_int_equal(live_new(1, &fd, NULL), RC_OK);
    struct live_mem *live = open_live(true, fd);
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(line, sizeof line, "%099d\n", i);
        live_write(live, 0, line, 100);
    }
    lost = live_read(live, 0, &at, &out);
    assert_int_equal(lost + out.len, 200000);
    assert_true(out.len <= LIVE_RING_BYTES && out.len > LIVE_RING_BYTES - 200);
    assert_int_equal(out.len % 100, 0); /* whole lines only */
    assert_int_equal(strtol(out.data + out.len - 100, NULL, 10), 1999);
    live_unmap(live);
}

static void test_a_write_that_was_cut_by_death_does_not_count(void **state)
{
    CLEANUP_FD int fd = -1;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    uint64_t at = 0;
    (void)state;
    assert_int_equal(live_new(1, &fd, NULL), RC_OK);
    struct live_mem *live = open_live(true, fd);
    live_write(live, 0, "whole\n", 6);
    atomic_store(&live->heads[0].begun, 1000); /* it died behind this line of live_write */
    live_begin(live, 0);
    live_write(live, 0, "next\n", 5);
    assert_int_equal(live_read(live, 0, &at, &out), 0);
    assert_string_equal(buf_str(&out), "whole\nnext\n");
    live_unmap(live);
}

static void test_what_is_none_is_refused(void **state)
{
    FILE *file = tmpfile();
    struct live_mem *live = NULL;
    (void)state;
    assert_non_null(file);
    assert_int_equal(live_map(fileno(file), false, &live, NULL), RC_PROTO);
    assert_int_equal(ftruncate(fileno(file), sizeof(struct live_mem) + LIVE_RING_BYTES), 0);
    assert_int_equal(live_map(fileno(file), false, &live, NULL), RC_PROTO);
    (void)fclose(file);
}

#define RACE_LINES 200000

static void *write_lines(void *arg)
{
    struct live_mem *live = arg;
    char line[64];
    for (int i = 0; i < RACE_LINES; i++) {
        int len = snprintf(
            line, sizeof line, "%d:%.*s\n", i, i % 40, "0123456789012345678901234567890123456789");
        live_write(live, 0, line, (size_t)len);
    }
    return NULL;
}

/* Each line is whole, and later than the one before. */
static int check_lines(const char *text, int last)
{
    while (*text) {
        char *end;
        long n = strtol(text, &end, 10);
        if (n <= last || *end != ':' || strcspn(end + 1, "\n") != (size_t)(n % 40))
            fail_msg("after %d came: %.60s", last, text);
        last = (int)n;
        text = end + 1 + n % 40 + 1;
    }
    return last;
}

static void test_reader_and_writer_race(void **state)
{
    CLEANUP_FD int fd = -1;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    uint64_t at = 0;
    int last = -1;
    pthread_t writer;
    (void)state;
    assert_int_equal(live_new(1, &fd, NULL), RC_OK);
    struct live_mem *live = open_live(true, fd);
    assert_int_equal(pthread_create(&writer, NULL, write_lines, live), 0);
    while (last < RACE_LINES - 1) {
        buf_reset(&out);
        (void)live_read(live, 0, &at, &out);
        last = check_lines(buf_str(&out), last);
    }
    (void)pthread_join(writer, NULL);
    live_unmap(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_come_in_order_and_once),
        cmocka_unit_test(test_who_is_late_is_told_what_it_lost),
        cmocka_unit_test(test_a_write_that_was_cut_by_death_does_not_count),
        cmocka_unit_test(test_what_is_none_is_refused),
        cmocka_unit_test(test_reader_and_writer_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
