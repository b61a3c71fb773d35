/* Pools, lives, the requeue of what ended lives held, due retries. */
#include "tests/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/ipc/claim.h"

static int64_t settle_up_to(
    struct fixture *f, int64_t life, int64_t last_begun, bool is_interruption, bool is_quiet)
{
    struct settlement s = {.life = life,
        .last_begun = last_begun,
        .is_interruption = is_interruption,
        .is_quiet = is_quiet,
        .certificate = "{\"slot\":3}",
        .cause = "worker killed by signal 9"};
    int64_t requeued = -1;
    ok(f, store_settle_life(f->store, f->catalog, &s, &requeued, &f->err));
    return requeued;
}

static int64_t settle(struct fixture *f, int64_t life, bool is_interruption, bool is_quiet)
{
    return settle_up_to(f, life, claim_last(life), is_interruption, is_quiet);
}

static int64_t events(struct fixture *f, const char *event)
{
    CLEANUP_FREE char *text = xasprintf("SELECT count(*) FROM events WHERE event = '%s'", event);
    return sql_int(f, text);
}

static void test_death_is_settled_once(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    add(f, "m");
    start_pool(f);
    struct run one = claim(f), two = claim(f);
    int64_t dead = f->life++;
    struct run other = claim(f); /* another life's */
    assert_int_equal(settle(f, dead, true, false), 2);
    assert_int_equal(settle(f, dead, true, false), 0);
    assert_int_equal(events(f, "worker.died"), 1);
    assert_int_equal(events(f, "attempt.interrupted"), 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'pending'"
                                " AND claim IS NULL AND attempts = 0 AND interruptions = 1"),
        2);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'in_progress'"), 1);
    CLEANUP_FREE char *data = sql_text(f, "SELECT (data ->> '$.cause') || (data ->> '$.life')"
                                          " FROM events WHERE event = 'attempt.interrupted'");
    CLEANUP_FREE char *expected = xasprintf("worker killed by signal 9%lld", (long long)dead);
    assert_string_equal(data, expected);
    assert_int_equal(
        sql_int(f, "SELECT data ->> '$.slot' FROM events WHERE event = 'worker.died'"), 3);
    run_fini(&one);
    run_fini(&two);
    run_fini(&other);
    verify(f);
}

static void test_what_had_not_begun_is_not_counted(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct run one = claim(f), two = claim(f);
    assert_true(one.claim < two.claim);
    assert_int_equal(settle_up_to(f, f->life, one.claim, true, false), 2);
    assert_int_equal(events(f, "attempt.interrupted"), 1);
    assert_int_equal(sql_int(f, "SELECT sum(interruptions) FROM item_stages"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'pending'"
                                " AND claim IS NULL AND attempts = 0"),
        2);
    run_fini(&one);
    run_fini(&two);
    verify(f);
}

static void test_stopped_counts_nothing(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    assert_int_equal(settle(f, f->life, false, true), 1);
    assert_int_equal(settle(f, f->life, false, true), 0);
    assert_int_equal(events(f, "attempt.given_back"), 1);
    assert_int_equal(events(f, "worker.died"), 0);
    assert_int_equal(
        sql_int(f, "SELECT attempts + interruptions FROM item_stages WHERE id = 1"), 0);
    run_fini(&run);
    int64_t before = sql_int(f, "PRAGMA data_version");
    assert_int_equal(settle(f, f->life + 7, false, true), 0); /* nothing in hand: no write at all */
    assert_int_equal(sql_int(f, "PRAGMA data_version"), before);
    verify(f);
}

static void test_streak(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    static const int64_t delays[] = {0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        f->life++;
        struct run run = claim(f);
        assert_int_equal(run.state.attempts, 1);
        int64_t before = clock_wall_ms();
        assert_int_equal(settle(f, f->life, true, false), 1);
        int64_t due =
            sql_int(f, "SELECT coalesce(next_attempt_at, 0) FROM item_stages WHERE id = 1");
        if (delays[i]) {
            assert_true(due >= before + delays[i] && due <= clock_wall_ms() + delays[i]);
            sql(f, "UPDATE item_stages SET next_attempt_at = 1 WHERE id = 1");
            int64_t woken = 0, next = 0;
            ok(f, store_wake_due(f->store, 5, &woken, &next, &f->err));
            assert_int_equal(woken, 1);
        } else {
            assert_int_equal(due, 0);
        }
        run_fini(&run);
    }
    verify(f);
}

static void test_death_may_fail(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, "[job j]\non_worker_death = fail\nhandler = builtin noop\n");
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    (void)settle(f, f->life, true, false);
    CLEANUP_FREE char *row = sql_text(f, "SELECT status || attempts || interruptions || error"
                                         " FROM item_stages WHERE status <> 'skipped'");
    assert_string_equal(row, "failed11worker killed by signal 9");
    run_fini(&run);
    verify(f);
}

static void test_unknown_stage_is_requeued(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    struct config *none = fixture_config(f, "");
    catalog_free(f->catalog);
    f->catalog = NULL;
    ok(f, catalog_sync(f->store, none, &f->catalog, &f->err));
    assert_int_equal(settle(f, f->life, true, false), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'pending'"), 1);
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 0); /* an orphaned job is not waited for */
    run_fini(&run);
    catalog_free(f->catalog);
    f->catalog = NULL;
    config_free(none);
}

static void test_lives_are_never_reused(void **state)
{
    struct fixture *f = *state;
    int64_t newest = 0;
    for (int i = 0; i < 5; i++) {
        struct pool_row row = {0}, more = {0};
        int64_t requeued = 0;
        ok(f, store_pool_start(f->store, f->catalog, "h", 7, &row, &requeued, &f->err));
        assert_int_equal(row.first_life, newest + 1);
        assert_int_equal(row.last_life, newest + LIVES_PER_BLOCK);
        ok(f, store_pool_lives(f->store, "h", 7, &more, &f->err));
        assert_int_equal(more.first_life, row.last_life + 1);
        newest = more.last_life;
        if (i % 2) {
            ok(f, store_pool_finish(f->store, "h", 7, &f->err));
            ok(f, store_pool_finish(f->store, "h", 7, &f->err));
        }
        fixture_reopen(f, i % 2 ? DURABILITY_FULL : DURABILITY_NORMAL);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pools WHERE retired_at IS NULL"), 2);
    assert_int_equal(events(f, "run_start"), 5);
    assert_int_equal(events(f, "run_end"), 2);
}

static void test_start_requeues_the_old_pool(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct run one = claim(f);
    f->life += 100;
    struct run two = claim(f);
    struct pool_row row = {0};
    int64_t requeued = 0;
    ok(f, store_pool_start(f->store, f->catalog, "h", 8, &row, &requeued, &f->err));
    assert_int_equal(requeued, 2);
    assert_int_equal(events(f, "attempt.interrupted"), 2);
    assert_int_equal(sql_int(f, "SELECT sum(interruptions) FROM item_stages"), 2);
    run_fini(&one);
    run_fini(&two);
    verify(f);
}

static void test_wake_in_order_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    start_pool(f);
    static const char *const keys[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) {
        add(f, keys[i]);
        struct run run = claim(f);
        (void)end(f, &run, END_RETRY);
        run_fini(&run);
    }
    int64_t far = clock_wall_ms() + 1000000;
    CLEANUP_FREE char *text =
        xasprintf("UPDATE item_stages SET next_attempt_at = CASE WHEN"
                  " item_id < 4 THEN 10 - item_id ELSE %lld END WHERE status = 'retry_later'",
            (long long)far);
    sql(f, text);
    int64_t woken = 0, next = 0;
    ok(f, store_wake_due(f->store, 2, &woken, &next, &f->err));
    assert_int_equal(woken, 2);
    assert_int_equal(next, 9);
    ok(f, store_wake_due(f->store, 2, &woken, &next, &f->err));
    assert_int_equal(woken, 1);
    assert_int_equal(next, far);
    ok(f, store_wake_due(f->store, 2, &woken, &next, &f->err));
    assert_int_equal(woken, 0);
    verify(f);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_death_is_settled_once),
        T(test_what_had_not_begun_is_not_counted),
        T(test_stopped_counts_nothing),
        T(test_streak),
        T(test_death_may_fail),
        T(test_unknown_stage_is_requeued),
        T(test_lives_are_never_reused),
        T(test_start_requeues_the_old_pool),
        T(test_wake_in_order_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
