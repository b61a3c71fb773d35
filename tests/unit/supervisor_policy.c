/* The supervisor's pure parts, as tables: verdicts, throttle, scaling, lives, the stopping ladder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

#include "common/base/clock.h"
#include "common/ipc/claim.h"
#include "supervisor/lives.h"
#include "supervisor/policy.h"
#include "supervisor/stop.h"

#define S NS_PER_S
#define NOW (1000 * S)

static const struct policy_limits limits = {
    .heartbeat_timeout_ms = 10000, .write_timeout_ms = 2000};

struct verdict_row {
    const char *name;
    struct evidence e;
    struct scene s;
    enum fault fault;
};

#define SCENE(...)                                                                                 \
    {                                                                                              \
        .now_mono_ns = NOW, __VA_ARGS__                                                            \
    }
static const struct verdict_row verdicts[] = {
    {"fresh beat", {.beat_mono_ns = NOW}, SCENE(), FAULT_NONE},
    {"just within the timeout", {.beat_mono_ns = NOW - 10 * S + 1}, SCENE(), FAULT_NONE},
    {"silent", {.beat_mono_ns = NOW - 10 * S}, SCENE(), FAULT_SILENT},
    {"silent, but we stood still", {.beat_mono_ns = NOW - 50 * S},
        SCENE(.judge_from_mono_ns = NOW - 9 * S), FAULT_NONE},
    {"silent since the amnesty too", {.beat_mono_ns = NOW - 50 * S},
        SCENE(.judge_from_mono_ns = NOW - 10 * S), FAULT_SILENT},
    {"a beat from the future", {.beat_mono_ns = NOW + 50 * S}, SCENE(), FAULT_NONE},

    {"slow disk: all at the database are silent",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'D'},
        SCENE(.database_len = 3, .database_silent_len = 3), FAULT_SLOW_DISK},
    {"slow disk, asleep",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'S'},
        SCENE(.database_len = 3, .database_silent_len = 3), FAULT_SLOW_DISK},
    {"asleep for too long",
        {.beat_mono_ns = NOW - 60 * S, .state = WORKER_DATABASE, .proc_state = 'S'},
        SCENE(.database_len = 3, .database_silent_len = 3), FAULT_SILENT},
    {"one of them is stopped",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'T'},
        SCENE(.database_len = 3, .database_silent_len = 3), FAULT_SILENT},
    {"another at the database beats",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'D'},
        SCENE(.database_len = 3, .database_silent_len = 2), FAULT_SILENT},
    {"alone at the database, asleep",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'S'},
        SCENE(.database_len = 1, .database_silent_len = 1), FAULT_SILENT},
    {"alone at the database, in D",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_DATABASE, .proc_state = 'D'},
        SCENE(.database_len = 1, .database_silent_len = 1), FAULT_SLOW_DISK},
    {"silent, but not at the database",
        {.beat_mono_ns = NOW - 11 * S, .state = WORKER_RUNNING, .proc_state = 'D'},
        SCENE(.database_len = 3, .database_silent_len = 3), FAULT_SILENT},

    {"pipe closed just now", {.beat_mono_ns = NOW, .closed_mono_ns = NOW - S + 1}, SCENE(),
        FAULT_NONE},
    {"pipe closed", {.beat_mono_ns = NOW, .closed_mono_ns = NOW - S}, SCENE(), FAULT_CLOSED},

    {"past the deadline, within our patience",
        {.beat_mono_ns = NOW, .deadline_mono_ns = NOW - 2 * S + 1}, SCENE(), FAULT_NONE},
    {"overdue", {.beat_mono_ns = NOW, .deadline_mono_ns = NOW - 2 * S}, SCENE(), FAULT_OVERDUE},
    {"overdue by an old beat only", {.beat_mono_ns = NOW - 4 * S, .deadline_mono_ns = NOW - 3 * S},
        SCENE(), FAULT_NONE},
    {"overdue while we stood still", {.beat_mono_ns = NOW, .deadline_mono_ns = NOW - 20 * S},
        SCENE(.judge_from_mono_ns = NOW - S), FAULT_NONE},

    {"sits on the lock",
        {.beat_mono_ns = NOW,
            .lock_mono_ns = NOW - 2 * S,
            .has_lock_strike = true,
            .proc_state = 'S'},
        SCENE(.is_lock_wanted = true), FAULT_LOCK},
    {"first look at that hold",
        {.beat_mono_ns = NOW, .lock_mono_ns = NOW - 2 * S, .proc_state = 'S'},
        SCENE(.is_lock_wanted = true), FAULT_NONE},
    {"on the lock, waiting for the disk",
        {.beat_mono_ns = NOW,
            .lock_mono_ns = NOW - 9 * S,
            .has_lock_strike = true,
            .proc_state = 'D'},
        SCENE(.is_lock_wanted = true), FAULT_NONE},
    {"on the lock, nobody minds",
        {.beat_mono_ns = NOW,
            .lock_mono_ns = NOW - 9 * S,
            .has_lock_strike = true,
            .proc_state = 'S'},
        SCENE(), FAULT_NONE},
    {"on the lock for a moment",
        {.beat_mono_ns = NOW, .lock_mono_ns = NOW - 2 * S + 1, .has_lock_strike = true},
        SCENE(.is_lock_wanted = true), FAULT_NONE},
    {"on the lock since the future",
        {.beat_mono_ns = NOW, .lock_mono_ns = NOW + 9 * S, .has_lock_strike = true},
        SCENE(.is_lock_wanted = true), FAULT_NONE},
    {"on the lock while we stood still",
        {.beat_mono_ns = NOW, .lock_mono_ns = NOW - 9 * S, .has_lock_strike = true},
        SCENE(.is_lock_wanted = true, .judge_from_mono_ns = NOW - S), FAULT_NONE},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        const struct verdict_row *row = &verdicts[i];
        enum fault fault = policy_fault(&row->e, &row->s, &limits);

        if (fault != row->fault)
            fail_msg("%s: fault %d, not %d", row->name, fault, row->fault);
        /* Who is condemned by a look at its process must be a suspect first. */
        if (fault == FAULT_SILENT || fault == FAULT_SLOW_DISK || fault == FAULT_LOCK)
            assert_true(policy_is_suspect(&row->e, &row->s, &limits));
    }
}

static void test_stall(void **state)
{
    (void)state;
    assert_false(policy_was_stalled(0, NOW, &limits)); /* the first tick */
    assert_false(policy_was_stalled(NOW - 5 * S, NOW, &limits));
    assert_true(policy_was_stalled(NOW - 5 * S - 1, NOW, &limits));
}

static void test_throttle_sequence(void **state)
{
    static const int64_t expected[] = {
        100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    int64_t pause_ms = 0;

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        pause_ms = policy_next_pause_ms(pause_ms);
        assert_int_equal(pause_ms, expected[i]);
    }
}

static void test_who_is_throttled(void **state)
{
    (void)state;
    assert_true(policy_wants_throttle(false, false, 1 << 8, false));
    assert_true(policy_wants_throttle(false, false, 0, false));
    assert_true(policy_wants_throttle(false, false, SIGSEGV, false));
    assert_false(policy_wants_throttle(false, false, SIGKILL, false));
    assert_true(policy_wants_throttle(false, false, SIGKILL, true));
    assert_false(policy_wants_throttle(true, false, 1 << 8, false));
    assert_false(policy_wants_throttle(false, true, 0, false));
}

static void test_wanted(void **state)
{
    (void)state;
    assert_int_equal(policy_wanted(0, 0, 2, 16), 2);
    assert_int_equal(policy_wanted(3, 4, 2, 16), 7);
    assert_int_equal(policy_wanted(3, 400, 2, 16), 16);
    assert_int_equal(policy_wanted(3, INT64_MAX, 2, 16), 16);
    assert_int_equal(policy_wanted(0, -5, 2, 16), 2);
    assert_int_equal(policy_wanted(9, 9, 4, 4), 4);
}

static void test_scale_grows_at_once_and_shrinks_late(void **state)
{
    struct scale scale = {.target = 2};

    (void)state;
    policy_scale(&scale, 8, 16, NOW);
    assert_int_equal(scale.target, 8);
    policy_scale(&scale, 3, 16, NOW);
    policy_scale(&scale, 3, 16, NOW + 10 * S - 1);
    assert_int_equal(scale.target, 8);
    policy_scale(&scale, 8, 16, NOW + 10 * S - 1); /* busy again: the count begins anew */
    policy_scale(&scale, 3, 16, NOW + 10 * S);
    policy_scale(&scale, 3, 16, NOW + 19 * S);
    assert_int_equal(scale.target, 8);
    policy_scale(&scale, 3, 16, NOW + 20 * S);
    assert_int_equal(scale.target, 3);
    policy_scale(&scale, 3, 2, NOW + 20 * S); /* an operator's fewer: at once */
    assert_true(scale.target <= 3);
    scale.target = 9;
    policy_scale(&scale, 2, 4, NOW);
    assert_int_equal(scale.target, 4);
}

static void test_refill_and_surplus(void **state)
{
    struct head_count h = {.occupied = 5, .target = 8, .may_start = true};

    (void)state;
    assert_int_equal(policy_refill(&h), 3);
    assert_int_equal(policy_surplus(&h), 0);
    h.may_start = false;
    assert_int_equal(policy_refill(&h), 0);
    h = (struct head_count){.occupied = 8, .target = 8, .may_start = true};
    assert_int_equal(policy_refill(&h), 0);
    h.target = 6;
    assert_int_equal(policy_refill(&h), 0);
    assert_int_equal(policy_surplus(&h), 2);
}

static void test_lives(void **state)
{
    struct lives lives;

    (void)state;
    lives_init(&lives);
    assert_int_equal(lives_take(&lives), 0);
    assert_false(lives_add(&lives, 0, 5));
    assert_false(lives_add(&lives, 9, 8));
    assert_false(lives_add(&lives, 9, LIFE_MAX + 1));
    assert_true(lives_add(&lives, 10, 11));
    assert_false(lives_add(&lives, 11, 20)); /* a number twice */
    assert_true(lives_add(&lives, 30, 30));
    assert_false(lives_add(&lives, 40, 50)); /* not asked for */
    assert_int_equal(lives_left(&lives), 3);
    assert_int_equal(lives_take(&lives), 10);
    assert_int_equal(lives_take(&lives), 11);
    assert_int_equal(lives_take(&lives), 30);
    assert_int_equal(lives_take(&lives), 0);
    assert_false(lives_add(&lives, 30, 31));
    assert_true(lives_add(&lives, LIFE_MAX, LIFE_MAX));
    assert_int_equal(lives_take(&lives), LIFE_MAX);
}

static void assert_due(struct stop *stop, int64_t at, enum stop_act act)
{
    assert_int_equal(stop_next_due(stop), at);
    assert_int_equal(stop_take(stop, at - 1), STOP_ACT_NONE);
    assert_int_equal(stop_take(stop, at), act);
}

static void test_graceful_ladder(void **state)
{
    struct stop stop = {0};

    (void)state;
    assert_int_equal(stop_next_mode(&stop), STOP_GRACEFUL);
    stop_begin(&stop, STOP_GRACEFUL, NOW, 25000);
    assert_due(&stop, NOW + 20 * S, STOP_ACT_NOW);
    assert_due(&stop, NOW + 26 * S, STOP_ACT_KILL);
    assert_due(&stop, NOW + 56 * S, STOP_ACT_GIVE_UP);
    assert_int_equal(stop_take(&stop, NOW + 999 * S), STOP_ACT_NONE);
    assert_int_equal(stop_next_due(&stop), 0);
}

static void test_short_timeout_keeps_three_quarters(void **state)
{
    struct stop stop = {0};

    (void)state;
    stop_begin(&stop, STOP_GRACEFUL, NOW, 3000);
    assert_due(&stop, NOW + 9 * S / 4, STOP_ACT_NOW);
    assert_due(&stop, NOW + 4 * S, STOP_ACT_KILL);
}

static void test_again_means_now(void **state)
{
    struct stop stop = {0};

    (void)state;
    stop_begin(&stop, STOP_GRACEFUL, NOW, 3600000);
    assert_int_equal(stop_next_mode(&stop), STOP_NOW);
    stop_begin(&stop, STOP_NOW, NOW + S, 3600000);
    assert_int_equal(stop_take(&stop, NOW + S), STOP_ACT_NOW);
    stop_begin(&stop, STOP_NOW, NOW + 5 * S, 3600000); /* moves nothing away */
    stop_begin(&stop, STOP_GRACEFUL, NOW + 5 * S, 3600000);
    assert_due(&stop, NOW + 7 * S, STOP_ACT_KILL);
}

static void test_quit(void **state)
{
    struct stop stop = {0};

    (void)state;
    stop_begin(&stop, STOP_QUIT, NOW, 25000);
    assert_int_equal(stop_take(&stop, NOW), STOP_ACT_NOW);
    assert_due(&stop, NOW + S, STOP_ACT_KILL);
    assert_due(&stop, NOW + 11 * S, STOP_ACT_GIVE_UP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_stall),
        cmocka_unit_test(test_throttle_sequence),
        cmocka_unit_test(test_who_is_throttled),
        cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_scale_grows_at_once_and_shrinks_late),
        cmocka_unit_test(test_refill_and_surplus),
        cmocka_unit_test(test_lives),
        cmocka_unit_test(test_graceful_ladder),
        cmocka_unit_test(test_short_timeout_keeps_three_quarters),
        cmocka_unit_test(test_again_means_now),
        cmocka_unit_test(test_quit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
