/* supervisor_fixture: starts stintd beside stand-ins for keeper and workers (supervisor_fake.c) in
 * a directory of its own, and reads what all of them write to descriptor 2. Nothing here waits for
 * time to pass: expect() reads on until the awaited words come, or a generous limit ends. */
#ifndef STINT_TESTS_SUPERVISOR_FIXTURE_H
#define STINT_TESTS_SUPERVISOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/types.h>

#include "common/base/buf.h"

struct daemon_under_test {
    char dir[64];
    char socket[80];
    pid_t pid;
    int out; /* what it and its children write to descriptor 2 */
    struct buf text;
    size_t read_to; /* expect() goes on from here */
};

/* argv of the test program: STINTD SUPERVISOR-FAKE; false after a usage message. */
bool take_programs(int argc, char **argv);
int setup(void **state);
/* All that was started must be gone: a child that still holds descriptor 2 would keep us here. */
int teardown(void **state);
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

void write_config(const char *dir, const char *options); /* options: lines of [pool] */
void start(struct daemon_under_test *d, const char *const *args);
/* Reads on until `words` appear after what was expected before; returns what follows them. */
const char *expect(struct daemon_under_test *d, const char *words);
/* A new worker's pid, and its life (may be NULL). */
pid_t expect_worker(struct daemon_under_test *d, long long *ret_life);
void expect_settled(struct daemon_under_test *d, long long life, int cause);
/* Waits until nobody of the pool is left; its exit code. */
int wait_for_end(struct daemon_under_test *d);
void stop(struct daemon_under_test *d); /* SIGTERM, and exit code 0 */

#endif
