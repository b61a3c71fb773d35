/* Claims, fencing, exchanges that are repeated, what each outcome makes of the row. */
#include "tests/store/fixture.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/ipc/claim.h"

static char *status_of(struct fixture *f, int64_t id)
{
    CLEANUP_FREE char *text =
        xasprintf("SELECT status FROM item_stages WHERE id = %lld", (long long)id);
    return sql_text(f, text);
}

#define assert_status(f, id, expected)                                                             \
    do {                                                                                           \
        CLEANUP_FREE char *status_ = status_of(f, id);                                             \
        assert_string_equal(status_, expected);                                                    \
    } while (0)

static int64_t events(struct fixture *f, const char *event)
{
    CLEANUP_FREE char *text = xasprintf("SELECT count(*) FROM events WHERE event = '%s'", event);
    return sql_int(f, text);
}

static void test_item_through_two_stages(void **state)
{
    struct fixture *f = *state;
    (void)add_with(f, "k", "{ \"n\" : 1 }", NULL);
    start_pool(f);
    struct run first = claim(f);
    assert_int_equal(first.stage_id, stage(f, "a")->id);
    assert_string_equal(first.key, "k");
    assert_string_equal(first.data, "{\"n\":1}");
    assert_string_equal(first.inputs, "{}");
    assert_int_equal(first.state.attempts, 1);
    struct run none = claim(f);
    assert_int_equal(none.id, 0);
    struct outcome o = outcome_of(f, &first, END_DONE);
    int64_t ids[] = {stage(f, "a")->id, stage(f, "b")->id};
    struct wish wish = {
        .stage_ids = ids, .stages_len = 2, .claims_len = 1, .claim = claim_make(f->life, 100)};
    struct traded answer = {0};
    ok(f, trade(f->store, &o, &wish, &answer, &f->err));
    assert_int_equal(answer.run.stage_id, stage(f, "b")->id);
    assert_string_equal(answer.run.inputs, "{\"a\":{\"ok\":true}}");
    assert_int_equal(answer.claimable, 0);
    assert_status(f, first.id, "done");
    verify(f);
    (void)end(f, &answer.run, END_DONE);
    run_fini(&answer.run);
    run_fini(&first);
    verify(f);
    CLEANUP_FREE char *derived = sql_text(f, "SELECT derived_status FROM item_derived_status");
    assert_string_equal(derived, "done");
}

static void test_lost_claim(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    int64_t old_life = f->life;
    start_pool(f); /* takes it back */
    assert_true(f->life > old_life);
    struct run again = claim(f);
    assert_int_equal(again.id, run.id);
    assert_int_equal(again.state.attempts, 1);
    bool is_mine = true;
    ok(f, store_claim_is_mine(f->store, &run, &is_mine, &f->err));
    assert_false(is_mine);
    assert_true(end(f, &run, END_DONE).is_outcome_lost);
    assert_true(end(f, &run, END_DONE).is_outcome_lost);
    assert_int_equal(events(f, "claim.lost"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM results"), 0);
    assert_status(f, run.id, "in_progress");
    assert_false(end(f, &again, END_DONE).is_outcome_lost);
    assert_true(end(f, &run, END_FAIL).is_outcome_lost);
    assert_status(f, run.id, "done");
    run_fini(&run);
    run_fini(&again);
    verify(f);
}

static void test_repeated_exchange(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct run run = claim(f);
    struct outcome o = outcome_of(f, &run, END_DONE);
    int64_t ids[] = {stage(f, "a")->id};
    struct wish wish = {
        .stage_ids = ids, .stages_len = 1, .claims_len = 1, .claim = claim_make(f->life, 50)};
    struct traded one = {0}, two = {0};
    ok(f, trade(f->store, &o, &wish, &one, &f->err));
    wish.is_repeat = true;
    ok(f, trade(f->store, &o, &wish, &two, &f->err));
    assert_int_not_equal(one.run.id, 0);
    assert_int_equal(one.run.id, two.run.id);
    assert_int_equal(two.run.state.attempts, 1);
    assert_false(two.is_outcome_lost);
    assert_int_equal(events(f, "claim.lost"), 0);
    wish.claim++; /* nothing bears it: a repeat that never happened the first time */
    run_fini(&two.run);
    ok(f, trade(f->store, NULL, &wish, &two, &f->err));
    assert_int_equal(two.run.id, 0);
    run_fini(&one.run);
    run_fini(&run);
    verify(f);
}

static _Atomic uint64_t spec_word;

static void raise_word(void *ctx)
{
    (void)ctx;
    atomic_store(&spec_word, 2);
}

/* The last moment: the wish was made by the JobSpec in force, and a reload is committed before the
 * write lock is ours. The outcome counts, the wish does not. */
static void test_fence_is_looked_at_under_the_lock(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct store_options opts = {.path = f->path, .hooks = {.on_begin = raise_word}};
    struct store *store = NULL;
    struct traded answer = {0};
    struct run run = claim(f);
    struct outcome o = outcome_of(f, &run, END_DONE);
    int64_t ids[] = {stage(f, "a")->id, stage(f, "b")->id};
    struct wish wish = {.stage_ids = ids,
        .stages_len = 2,
        .claims_len = 1,
        .claim = claim_make(f->life, 60),
        .fence = &spec_word,
        .fence_value = 1};
    atomic_store(&spec_word, 1);
    ok(f, store_open(&opts, &store, &f->err));
    ok(f, trade(store, &o, &wish, &answer, &f->err));
    assert_int_equal(answer.run.id, 0);
    assert_status(f, run.id, "done");
    assert_int_equal(sql_int(f, "SELECT COUNT(*) FROM item_stages WHERE claim = 60"), 0);
    wish.fence_value = 2; /* by the new one it is taken */
    ok(f, trade(store, NULL, &wish, &answer, &f->err));
    assert_int_not_equal(answer.run.id, 0);
    run_fini(&answer.run);
    run_fini(&run);
    store_close(store);
    verify(f);
}

/* Between commit and repeat the row has moved on: the event still tells that it was our commit. */
static void test_own_commit_after_the_row_moved(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    assert_false(end(f, &run, END_RETRY).is_outcome_lost);
    assert_status(f, run.id, "retry_later");
    sql(f, "UPDATE item_stages SET next_attempt_at = 1 WHERE status = 'retry_later'");
    int64_t woken = 0, next = 0;
    ok(f, store_wake_due(f->store, 10, &woken, &next, &f->err));
    assert_int_equal(woken, 1);
    assert_int_equal(next, 0);
    assert_status(f, run.id, "pending");
    assert_false(end(f, &run, END_RETRY).is_outcome_lost);
    assert_int_equal(events(f, "attempt.failed"), 1);
    run_fini(&run);
    run = claim(f);
    assert_int_equal(run.state.attempts, 2);
    assert_int_equal(end(f, &run, END_STOPPED).claimable, 1);
    assert_false(end(f, &run, END_STOPPED).is_outcome_lost);
    assert_int_equal(events(f, "attempt.given_back"), 1);
    assert_int_equal(sql_int(f, "SELECT attempts FROM item_stages WHERE stage_id = 1"), 1);
    run_fini(&run);
    verify(f);
}

static void test_exhausted_and_failed(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    for (int i = 1; i <= 5; i++) {
        struct run run = claim(f);
        assert_int_equal(run.state.attempts, i);
        (void)end(f, &run, END_RETRY);
        assert_status(f, run.id, i < 5 ? "retry_later" : "exhausted");
        sql(f, "UPDATE item_stages SET next_attempt_at = 1 WHERE status = 'retry_later'");
        int64_t woken = 0, next = 0;
        ok(f, store_wake_due(f->store, 10, &woken, &next, &f->err));
        run_fini(&run);
    }
    assert_int_equal(events(f, "attempt.failed"), 5);
    assert_int_equal(events(f, "item.exhausted"), 1);
    CLEANUP_FREE char *letter = sql_text(f, "SELECT job || stage || item_key || error || attempts"
                                            " FROM v_dead_letters");
    assert_string_equal(letter, "jakreason5");
    add(f, "l");
    struct run run = claim(f);
    (void)end(f, &run, END_FAIL);
    assert_status(f, run.id, "failed");
    run_fini(&run);
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 0);
    assert_int_equal(rest.undone, 4);
    verify(f);
}

static void test_stage_pause(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct run run = claim(f), other = claim(f), none;
    int64_t before = clock_wall_ms();
    (void)end(f, &run, END_STAGE_PAUSE);
    (void)end(f, &other, END_STAGE_PAUSE);
    assert_status(f, run.id, "retry_later");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pauses WHERE paused = 1 AND trial = 1"), 1);
    int64_t until = sql_int(f, "SELECT retry_after FROM pauses");
    assert_true(until >= before + 60000 && until <= clock_wall_ms() + 60000);
    assert_int_equal(events(f, "stage.paused"), 1);
    add(f, "m");
    none = claim(f);
    assert_int_equal(none.id, 0);
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.paused, 3);
    assert_int_equal(rest.claimable, 0);
    int64_t lifted = 0, next = 0;
    ok(f, store_lift_pauses(f->store, &lifted, &next, &f->err));
    assert_int_equal(lifted, 0);
    assert_int_equal(next, until);
    sql(f, "UPDATE pauses SET retry_after = 1");
    ok(f, store_lift_pauses(f->store, &lifted, &next, &f->err));
    assert_int_equal(lifted, 1);
    assert_int_equal(next, 0);
    run_fini(&run);
    run = claim(f); /* the trial fails: twice as long */
    assert_int_not_equal(run.id, 0);
    before = clock_wall_ms();
    (void)end(f, &run, END_STAGE_PAUSE);
    assert_int_equal(sql_int(f, "SELECT trial FROM pauses WHERE paused = 1"), 2);
    assert_true(sql_int(f, "SELECT retry_after FROM pauses") >= before + 120000);
    sql(f, "UPDATE pauses SET retry_after = 1");
    sql(f, "UPDATE item_stages SET next_attempt_at = 1 WHERE status = 'retry_later'");
    ok(f, store_lift_pauses(f->store, &lifted, &next, &f->err));
    ok(f, store_wake_due(f->store, 10, &lifted, &next, &f->err));
    work_one(f); /* success: forgotten */
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pauses"), 0);
    assert_int_equal(events(f, "stage.resumed"), 2);
    run_fini(&run);
    run_fini(&other);
    verify(f);
}

static void test_skip_and_paused_job(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    sql(f, "INSERT INTO job_state (job_id, paused, pause_reason, updated_at)"
           " SELECT id, 1, 'by hand', 0 FROM jobs WHERE name = 'j'");
    struct run run = claim(f);
    assert_int_equal(run.id, 0);
    sql(f, "UPDATE job_state SET paused = 0");
    run = claim(f);
    assert_int_equal(end(f, &run, END_SKIP).claimable, 1);
    CLEANUP_FREE char *why = sql_text(f, "SELECT status || ' ' || error FROM item_stages"
                                         " WHERE stage_id = 1");
    assert_string_equal(why, "skipped reason");
    run_fini(&run);
    run = claim(f);
    assert_string_equal(run.inputs, "{\"a\":null}");
    (void)end(f, &run, END_DONE);
    run_fini(&run);
    verify(f);
}

static void test_wrong_result_changes_nothing(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    struct outcome o = outcome_of(f, &run, END_DONE);
    o.result = "{nope";
    struct traded answer = {0};
    assert_int_equal(trade(f->store, &o, NULL, &answer, &f->err), RC_INVALID);
    o.result = "1";
    ok(f, trade(f->store, &o, NULL, &answer, &f->err));
    assert_status(f, run.id, "done");
    run_fini(&run);
}

static void test_order_by_rank(void **state)
{
    struct fixture *f = *state;
    static const struct add_options opts = {.source = "manual"};
    struct add_item items[] = {
        {"low", NULL, -5, true}, {"mid", NULL, 0, false}, {"high", NULL, 5, true}};
    struct add_report report = {0};
    ok(f, store_add(f->store, job(f, "j"), items, 3, &opts, &report, NULL, &f->err));
    assert_int_equal(report.claimable, 3);
    start_pool(f);
    const char *expected[] = {"high", "mid", "low"};
    for (int i = 0; i < 3; i++) {
        struct run run = claim(f);
        assert_string_equal(run.key, expected[i]);
        run_fini(&run);
    }
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_item_through_two_stages),
        T(test_lost_claim),
        T(test_repeated_exchange),
        T(test_fence_is_looked_at_under_the_lock),
        T(test_own_commit_after_the_row_moved),
        T(test_exhausted_and_failed),
        T(test_stage_pause),
        T(test_skip_and_paused_job),
        T(test_wrong_result_changes_nothing),
        T(test_order_by_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
