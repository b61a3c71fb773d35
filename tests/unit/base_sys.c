/* sys: sealed memory, bounded reads, futex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

static void memory_files_are_sealed(void **state)
{
    (void)state;
    int fd = -1;
    char text[5] = "";
    assert_int_equal(sys_memfd("test", "data", 4, true, &fd, NULL), RC_OK);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pread(fd, text, 4, 0), 4);
    assert_string_equal(text, "data");
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    (void)close(fd);
    assert_int_equal(sys_memfd("test", NULL, 4096, false, &fd, NULL), RC_OK);
    assert_int_equal(pwrite(fd, "x", 1, 4095), 1);
    assert_int_equal(pwrite(fd, "x", 1, 4096), -1);
    assert_int_equal(ftruncate(fd, 8192), -1);
    (void)close(fd);
}

static void reading_has_bounds(void **state)
{
    (void)state;
    int fds[2];
    CLEANUP(buf_fini) struct buf b = BUF_INIT;
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    assert_int_equal(sys_read_avail(fds[0], 4, &b), RC_AGAIN);
    assert_int_equal(sys_write_all(fds[1], "abcdef", 6), RC_OK);
    assert_int_equal(sys_read_avail(fds[0], 4, &b), RC_LIMIT);
    assert_string_equal(buf_str(&b), "abcd");
    assert_int_equal(sys_read_avail(fds[0], 100, &b), RC_AGAIN);
    (void)close(fds[1]);
    assert_int_equal(sys_read_avail(fds[0], 100, &b), RC_DONE);
    assert_string_equal(buf_str(&b), "abcdef");
    (void)close(fds[0]);
    struct err err;
    assert_int_equal(sys_read_file("/nonexistent/x", 10, &b, &err), RC_NOTFOUND);
    int file = -1;
    assert_int_equal(sys_memfd("test", "12345", 5, true, &file, NULL), RC_OK);
    for (size_t max = 4; max <= 6; max++) {
        buf_reset(&b);
        assert_int_equal(lseek(file, 0, SEEK_SET), 0);
        assert_int_equal(sys_read_fd(file, max, &b, NULL), max < 5 ? RC_LIMIT : RC_OK);
    }
    (void)close(file);
    /* A futex whose word has another value, or whose time is over, does not wait. */
    _Atomic uint32_t word = 1;
    sys_futex_wait(&word, 0, clock_mono_ns() + 3600 * NS_PER_S);
    sys_futex_wait(&word, 1, clock_mono_ns() - 1);
    sys_futex_wake(&word, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_files_are_sealed),
        cmocka_unit_test(reading_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
