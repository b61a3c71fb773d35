/* The control group of a worker's handlers, over a directory that looks like the kernel's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cgroup_own.h"
#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "worker/memgroup.h"

static char dir[] = "/tmp/stint-test-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(sys_write_all(fd, text, strlen(text)), RC_OK);
}

static void expect(const char *name, const char *text)
{
    char path[256];
    CLEANUP(buf_fini) struct buf got = BUF_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(sys_read_file(path, 4096, &got, NULL), RC_OK);
    assert_string_equal(buf_str(&got), text);
}

static const char *const names[] = {"cgroup.subtree_control", "h3/memory.oom.group",
    "h3/memory.max", "h3/memory.events", "h3/cgroup.procs", "h3", "pool"};

static int make(void **state)
{
    char path[256];
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/pool", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/h3", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    put("h3/memory.oom.group", "0");
    put("h3/memory.max", "max");
    put("h3/memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\noom_group_kill 1\n");
    put("h3/cgroup.procs", "");
    return 0;
}

static int drop(void **state)
{
    char path[256];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        if (unlink(path) != 0)
            (void)rmdir(path);
    }
    return rmdir(dir);
}

static void open_group(struct memgroup *g)
{
    char pool[256];
    (void)snprintf(pool, sizeof pool, "%s/pool", dir);
    memgroup_init(g, pool, 3);
}

static void test_not_divided(void **state)
{
    struct memgroup g;
    (void)state;
    put("cgroup.subtree_control", "cpu pids memoryless\n");
    open_group(&g);
    assert_int_equal(g.procs_fd, -1);
    assert_false(memgroup_limit(&g, 1 << 20));
    assert_false(memgroup_has_killed(&g));
    memgroup_fini(&g);
}

static void test_bounds_and_proof(void **state)
{
    struct memgroup g;
    (void)state;
    put("cgroup.subtree_control", "cpu memory\n");
    open_group(&g);
    assert_true(g.procs_fd >= 0);
    expect("h3/memory.oom.group", "1");
    assert_true(memgroup_limit(&g, 64 << 20));
    expect("h3/memory.max", "67108864");
    assert_false(memgroup_has_killed(&g)); /* what was killed before is not ours */
    put("h3/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\noom_group_kill 1\n");
    assert_true(memgroup_has_killed(&g));
    assert_false(memgroup_has_killed(&g));
    memgroup_fini(&g);
    memgroup_fini(&g);
}

static void test_only_the_pools_part_counts(void **state)
{
    char own[512];
    (void)state;
    put("cgroup.subtree_control", "cpu memory\n");
    (void)snprintf(own, sizeof own, "%s/h3", dir);
    assert_false(cgroup_is_pools(own));
    (void)snprintf(own, sizeof own, "%s/pool", dir);
    assert_true(cgroup_is_pools(own));
    assert_false(cgroup_is_pools("pool"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_divided),
        cmocka_unit_test(test_bounds_and_proof),
        cmocka_unit_test(test_only_the_pools_part_counts),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
