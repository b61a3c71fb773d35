/* What is written of running attempts: fenced by the claim, repeat-safe; costs whatever happens. */
#include "tests/store/fixture.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/store/hold.h"
#include "common/store/notes.h"

static char key_a[] = "a", key_b[] = "b", nowhere[] = "nowhere";

static struct note note_of(struct fixture *f, const struct run *run)
{
    return (struct note){.run = run, .stage = stage(f, "a")};
}

static enum rc write_note(struct fixture *f, struct note *note)
{
    struct notes_answer answer;
    return store_notes(f->store, f->catalog, note, 1, &answer, &f->err);
}

static void test_a_note_is_in_the_row_and_ends_the_streak(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    sql(f, "UPDATE item_stages SET streak = 3 WHERE status = 'in_progress'");
    struct note note = note_of(f, &run);
    note.progress = "{\"done\":1}";
    ok(f, write_note(f, &note));
    assert_int_equal(sql_int(f, "SELECT streak FROM item_stages WHERE progress IS NOT NULL"), 3);
    note.progress = NULL;
    note.checkpoint = "[7]";
    ok(f, write_note(f, &note));
    ok(f, write_note(f, &note));
    assert_false(note.is_lost);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE streak = 0 AND"
                                " checkpoint = '[7]' AND progress = '{\"done\":1}'"),
        1);
}

static void test_who_has_lost_the_claim_writes_costs_only(void **state)
{
    struct fixture *f = *state;
    struct spawn_item item = {.key = key_a};
    struct cost cost = {.n = 1, .usd = 0.5};
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    sql(f, "UPDATE item_stages SET claim = claim + 1 WHERE status = 'in_progress'");
    struct note note = note_of(f, &run);
    note.checkpoint = "1";
    note.items = &item;
    note.items_len = 1;
    note.costs = &cost;
    note.costs_len = 1;
    ok(f, write_note(f, &note));
    assert_true(note.is_lost);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE checkpoint = '1'"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM work_items"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'cost'"), 1);
}

static void test_a_cost_is_booked_once(void **state)
{
    struct fixture *f = *state;
    struct cost costs[] = {{.n = 1, .usd = 0.5}, {.n = 2, .tokens = 9}};
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct note note = note_of(f, &run);
    note.costs = costs;
    note.costs_len = 2;
    ok(f, write_note(f, &note));
    ok(f, write_note(f, &note));
    struct outcome done = outcome_of(f, &run, END_DONE);
    struct traded t;
    done.costs = costs;
    done.costs_len = 2;
    ok(f, trade(f->store, &done, NULL, &t, &f->err));
    ok(f, trade(f->store, &done, NULL, &t, &f->err));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM v_costs"), 2);
    assert_int_equal(sql_int(f, "SELECT sum(tokens) FROM v_costs"), 9);
}

static void test_spawned_items_come_with_the_outcome_once(void **state)
{
    struct fixture *f = *state;
    struct spawn_item items[] = {
        {.key = key_a}, {.key = key_b, .priority = 3, .has_priority = true}};
    struct traded t;
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct outcome done = outcome_of(f, &run, END_DONE);
    done.items = items;
    done.items_len = 2;
    ok(f, trade(f->store, &done, NULL, &t, &f->err));
    ok(f, trade(f->store, &done, NULL, &t, &f->err));
    assert_false(t.is_outcome_lost);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM work_items WHERE depth = 1 AND"
                                " source = 'spawn' AND parent_id = (SELECT id FROM work_items"
                                " WHERE item_key = 'k')"),
        2);
    assert_int_equal(sql_int(f, "SELECT priority FROM work_items WHERE item_key = 'b'"), 3);
    verify(f);
}

static void test_one_bad_item_and_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    struct spawn_item items[] = {{.key = key_a}, {.key = key_b, .job = nowhere}};
    struct traded t;
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct outcome done = outcome_of(f, &run, END_DONE);
    done.items = items;
    done.items_len = 2;
    assert_int_equal(trade(f->store, &done, NULL, &t, &f->err), RC_INVALID);
    assert_non_null(strstr(f->err.text, "there is no job \"nowhere\""));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM work_items"), 1);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'in_progress'"), 1);
}

static void test_a_snooze_is_counted_and_keeps_what_was_said(void **state)
{
    struct fixture *f = *state;
    struct traded t;
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct outcome snooze = outcome_of(f, &run, END_SNOOZE);
    snooze.after_ms = 60000;
    snooze.checkpoint = "{\"at\":2}";
    snooze.progress = "{\"done\":2}";
    ok(f, trade(f->store, &snooze, NULL, &t, &f->err));
    ok(f, trade(f->store, &snooze, NULL, &t, &f->err));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'retry_later' AND"
                                " snoozes = 1 AND attempts = 0 AND checkpoint = '{\"at\":2}' AND"
                                " progress = '{\"done\":2}'"),
        1);
}

static void test_what_is_complete_needs_no_checkpoint(void **state)
{
    struct fixture *f = *state;
    struct traded t;
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct note note = note_of(f, &run);
    note.checkpoint = "1";
    ok(f, write_note(f, &note));
    struct outcome done = outcome_of(f, &run, END_DONE);
    ok(f, trade(f->store, &done, NULL, &t, &f->err));
    assert_int_equal(sql_int(f, "SELECT count(checkpoint) FROM item_stages"), 0);
}

struct holds {
    int n;
    int64_t until;
};

static void count_hold(void *ctx, const char *resource, int64_t until_wall_ms)
{
    struct holds *holds = ctx;
    assert_string_equal(resource, "api");
    holds->n++;
    holds->until = until_wall_ms;
}

static void test_a_hold_is_extended_never_shortened(void **state)
{
    struct fixture *f = *state;
    struct holds holds = {0, 0};
    int64_t now = clock_wall_ms();
    add(f, "k");
    CLEANUP(run_fini) struct run run = claim(f);
    struct hold hold = {"api", "", now + 50000, &run, stage(f, "a")};
    ok(f, store_hold(f->store, &hold, &f->err));
    hold.until_wall_ms = now + 90000;
    ok(f, store_hold(f->store, &hold, &f->err));
    hold.until_wall_ms = now + 70000;
    ok(f, store_hold(f->store, &hold, &f->err));
    ok(f, store_holds(f->store, count_hold, &holds, &f->err));
    assert_int_equal(holds.n, 1);
    assert_int_equal(holds.until, now + 90000);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'resource.held'"), 2);
    sql(f, "UPDATE pauses SET retry_after = 5 WHERE kind = 'resource'");
    ok(f, store_holds(f->store, count_hold, &holds, &f->err));
    assert_int_equal(holds.n, 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pauses"), 0);
}

#define IN_POOL(test) cmocka_unit_test_setup_teardown(test, set_up, fixture_teardown)

static int set_up(void **state)
{
    int failed = fixture_setup(state);
    if (!failed)
        start_pool(*state);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_POOL(test_a_note_is_in_the_row_and_ends_the_streak),
        IN_POOL(test_who_has_lost_the_claim_writes_costs_only),
        IN_POOL(test_a_cost_is_booked_once),
        IN_POOL(test_spawned_items_come_with_the_outcome_once),
        IN_POOL(test_one_bad_item_and_nothing_is_written),
        IN_POOL(test_a_snooze_is_counted_and_keeps_what_was_said),
        IN_POOL(test_what_is_complete_needs_no_checkpoint),
        IN_POOL(test_a_hold_is_extended_never_shortened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
