/* Limits: what is asked of the kernel for which keys, and which ends are a limit's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "worker/limits.h"

#define EXITED(n) ((n) << 8)

static const struct stage_spec all = {
    .tuning = {.cpu_ms = 9500, .memory_bytes = 64 << 20, .file_size_bytes = 1 << 20, .nice = 3}};

struct row {
    int status;
    int64_t cpu_s;
    bool is_oom;
    const char *why, *how; /* NULL: no limit */
};

static void expect(const struct stage_spec *stage, const struct row *row)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    CLEANUP(buf_fini) struct buf how = BUF_INIT;
    const struct rusage usage = {.ru_utime = {.tv_sec = row->cpu_s}};
    const struct limits_end end = {row->status, &usage, row->is_oom};
    bool is_limit = limits_explain(stage, &end, &why, &how);
    if (is_limit != (row->why != NULL))
        fail_msg("status %x: a limit? %d", (unsigned)row->status, is_limit);
    assert_string_equal(buf_str(&why), row->why != NULL ? row->why : "");
    assert_string_equal(buf_str(&how), row->how != NULL ? row->how : "");
}

static void test_which_end_is_a_limits(void **state)
{
    static const char cpu[] = "cpu limit 9500 ms (cpu)", file[] = "file larger than 1M (file_size)",
                      memory[] = "out of memory (memory = 64M)";
    static const struct row rows[] = {
        {SIGXCPU, 10, false, cpu, "cpu"},
        {EXITED(128 + SIGXCPU), 10, false, cpu, "cpu"}, /* as a shell tells it */
        {SIGKILL, 12, false, cpu, "cpu"},               /* it ignored SIGXCPU */
        {SIGKILL, 3, false, NULL, NULL},
        {SIGXFSZ, 0, false, file, "file_size"},
        {EXITED(128 + SIGXFSZ), 0, false, file, "file_size"},
        {SIGKILL, 0, true, memory, "memory"},
        {EXITED(1), 0, true, memory, "memory"}, /* its child was killed */
        {0, 0, true, NULL, NULL},               /* and it went on without it */
        {SIGSEGV, 0, false, NULL, NULL},
        {EXITED(1), 99, false, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(&all, &rows[i]);
}

static void test_no_limit_is_blamed_that_is_not_set(void **state)
{
    static const struct stage_spec none = {.name = NULL};
    static const int statuses[] = {SIGXCPU, SIGXFSZ, SIGKILL, EXITED(128 + SIGXCPU)};
    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        const struct row row = {statuses[i], 1000, true, NULL, NULL};
        expect(&none, &row);
    }
}

#define ABSENT ((rlim_t)-7)

static struct rlimit value_of(const struct limits *l, int resource)
{
    for (size_t i = 0; i < l->len; i++)
        if (l->list[i].resource == resource)
            return l->list[i].value;
    return (struct rlimit){ABSENT, ABSENT};
}

static void test_what_is_asked_of_the_kernel(void **state)
{
    struct limits l;
    (void)state;
    assert_int_equal(limits_init(&l, &all.tuning, false, NULL), RC_OK);
    assert_int_equal(value_of(&l, RLIMIT_CPU).rlim_cur, 10); /* whole seconds, rounded up */
    assert_int_equal(value_of(&l, RLIMIT_CPU).rlim_max, 12);
    assert_int_equal(value_of(&l, RLIMIT_AS).rlim_cur, 64 << 20);
    assert_int_equal(value_of(&l, RLIMIT_FSIZE).rlim_max, 1 << 20);
    assert_int_equal(value_of(&l, RLIMIT_NOFILE).rlim_cur, ABSENT);
    limits_fini(&l);
    assert_int_equal(limits_init(&l, &all.tuning, true, NULL), RC_OK);
    assert_int_equal(value_of(&l, RLIMIT_AS).rlim_cur, ABSENT); /* the control group holds it */
    struct spawn_opts opts = {.path = "x"};
    limits_apply(&l, &all.tuning, &opts);
    assert_int_equal(opts.nice, 3);
    assert_null(opts.user);
    limits_fini(&l);
}

static void test_a_limit_above_our_own_is_cut_to_it(void **state)
{
    static const struct stage_tuning many = {.open_files = 1000000000};
    struct rlimit own;
    struct limits l;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
    assert_int_equal(limits_init(&l, &many, false, NULL), RC_OK);
    assert_true(value_of(&l, RLIMIT_NOFILE).rlim_max <= own.rlim_max);
    limits_fini(&l);
}

static void test_an_unknown_user_is_told(void **state)
{
    static const struct stage_tuning tuning = {.user = "no-such-user-here"};
    struct limits l;
    struct err err = {""};
    (void)state;
    assert_int_equal(limits_init(&l, &tuning, false, &err), RC_INVALID);
    assert_non_null(strstr(err.text, "user = no-such-user-here: there is no such user"));
    limits_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_end_is_a_limits),
        cmocka_unit_test(test_no_limit_is_blamed_that_is_not_set),
        cmocka_unit_test(test_what_is_asked_of_the_kernel),
        cmocka_unit_test(test_a_limit_above_our_own_is_cut_to_it),
        cmocka_unit_test(test_an_unknown_user_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
