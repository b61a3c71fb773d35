/* Pauses by an operator: lanes that rest, claims that are found, what ends them and what does not.
 */
#include "tests/store/fixture.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/store/pause_act.h"

#define HOUR_MS 3600000

static struct pause_wish wish(struct fixture *f, const char *stage_name)
{
    struct pause_wish w = {.target = {.job = job(f, "j")}, .reason = "why", .uid = 7};
    if (stage_name)
        w.target.stage = stage(f, stage_name);
    return w;
}

static struct pause_found pause_it(struct fixture *f, const struct pause_wish *w)
{
    struct pause_found found = {0};
    ok(f, store_pause(f->store, w, &found, &f->err));
    return found;
}

static bool resume_it(struct fixture *f, const struct pause_wish *w)
{
    struct pause_state was = {0};
    ok(f, store_resume(f->store, &w->target, 7, &was, &f->err));
    bool is = was.is_paused;
    pause_state_fini(&was);
    return is;
}

static bool has_work(struct fixture *f)
{
    struct run run = claim(f);
    bool has = run.id != 0;
    if (has)
        (void)end(f, &run, END_STOPPED);
    run_fini(&run);
    return has;
}

static void test_its_lanes_rest(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {NULL, "a"};
    add(f, "k");
    start_pool(f);
    for (size_t i = 0; i < 2; i++) {
        struct pause_wish w = wish(f, names[i]);
        assert_true(has_work(f));
        struct pause_found found = pause_it(f, &w);
        assert_true(found.is_changed && !found.was.is_paused && found.claims_len == 0);
        assert_false(has_work(f));
        assert_true(resume_it(f, &w));
        assert_false(resume_it(f, &w));
        assert_true(has_work(f));
        pause_found_fini(&found);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE data ->> '$.uid' = 7"), 4);
    verify(f);
}

static void test_another_stage_goes_on(void **state)
{
    struct fixture *f = *state;
    struct pause_wish w = wish(f, "b");
    add(f, "k");
    start_pool(f);
    struct pause_found found = pause_it(f, &w);
    work_one(f);
    assert_false(has_work(f));
    pause_found_fini(&found);
}

static void test_claims_held_are_found(void **state)
{
    struct fixture *f = *state;
    struct pause_wish whole = wish(f, NULL), other = wish(f, "b");
    bool runs = false;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    struct pause_found none = pause_it(f, &other), one = pause_it(f, &whole);
    assert_int_equal(none.claims_len, 0);
    assert_int_equal(one.claims_len, 1);
    assert_int_equal(one.claims[0].claim, run.claim);
    assert_int_equal(one.claims[0].stage_id, run.stage_id);
    ok(f, store_claim_runs(f->store, run.claim, &runs, &f->err));
    assert_true(runs);
    (void)end(f, &run, END_DONE);
    ok(f, store_claim_runs(f->store, run.claim, &runs, &f->err));
    assert_false(runs);
    run_fini(&run);
    pause_found_fini(&none);
    pause_found_fini(&one);
}

static void test_time_ends_it_and_a_new_pool_does_not(void **state)
{
    struct fixture *f = *state;
    struct pause_wish w = wish(f, "a"), whole = wish(f, NULL);
    int64_t lifted = 0, next = 0, until = clock_wall_ms() + HOUR_MS;
    w.has_until = whole.has_until = true;
    w.until_wall_ms = whole.until_wall_ms = until;
    add(f, "k");
    struct pause_found one = pause_it(f, &w), two = pause_it(f, &whole);
    start_pool(f);
    assert_false(has_work(f));
    ok(f, store_lift_pauses(f->store, &lifted, &next, &f->err));
    assert_int_equal(lifted, 0);
    assert_true(next == until);
    sql(f, "UPDATE pauses SET retry_after = 1");
    sql(f, "UPDATE job_state SET retry_after = 1");
    ok(f, store_lift_pauses(f->store, &lifted, &next, &f->err));
    assert_int_equal(lifted, 2);
    assert_int_equal(next, 0);
    assert_true(has_work(f));
    pause_found_fini(&one);
    pause_found_fini(&two);
}

static void test_it_takes_over_the_pause_of_a_handler(void **state)
{
    struct fixture *f = *state;
    struct pause_wish w = wish(f, "a");
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    (void)end(f, &run, END_STAGE_PAUSE);
    run_fini(&run);
    struct pause_found found = pause_it(f, &w);
    assert_true(found.was.is_on_trial && found.was.until_wall_ms > 0);
    assert_true(!found.is.is_on_trial && found.is.until_wall_ms == 0);
    start_pool(f);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pauses WHERE paused = 1"), 1);
    assert_true(resume_it(f, &w));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pauses"), 0);
    pause_found_fini(&found);
}

static void test_again_changes_nothing_but_what_is_new(void **state)
{
    struct fixture *f = *state;
    struct pause_wish w = wish(f, "a"), plain = wish(f, "a");
    plain.reason = NULL;
    w.has_until = true;
    w.until_wall_ms = clock_wall_ms() + HOUR_MS;
    struct pause_found one = pause_it(f, &w), two = pause_it(f, &plain);
    assert_false(two.is_changed);
    plain.reason = "other";
    struct pause_found three = pause_it(f, &plain), plan = {0};
    assert_true(three.is_changed && three.is.until_wall_ms == w.until_wall_ms);
    ok(f, store_pause_plan(f->store, &plain, &plan, &f->err));
    assert_false(plan.is_changed);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'stage.paused'"), 2);
    pause_found_fini(&one);
    pause_found_fini(&two);
    pause_found_fini(&three);
    pause_found_fini(&plan);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_its_lanes_rest),
        CASE(test_another_stage_goes_on),
        CASE(test_claims_held_are_found),
        CASE(test_time_ends_it_and_a_new_pool_does_not),
        CASE(test_it_takes_over_the_pause_of_a_handler),
        CASE(test_again_changes_nothing_but_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
