/* What retry and cancel make of a stage run in each status. */
#include "tests/store/selecting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/store/act.h"

static struct act_report act(struct fixture *f, enum act which, const char *text)
{
    struct filter filter CLEANUP(filter_fini) = FILTER_INIT;
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct act_options opts = {.act = which, .catalog = f->catalog, .uid = 42};
    struct act_report report = {.changed = 0};
    enum rc rc;
    parse_filter(text, &filter);
    ok(f, selection_open(f->store, &filter, act_statuses(which), &sel, &f->err));
    while ((rc = act_bite(sel, f->store, &opts, &report, &f->err)) == RC_OK)
        continue;
    if (rc != RC_DONE)
        fail_msg("%s: %s", text, f->err.text);
    return report;
}

/* Brings run 1 (stage a of the only item; blocked: run 2, stage b) into a status. */
static int64_t bring(struct fixture *f, enum stage_status status)
{
    struct run run = {0};
    add(f, "k");
    start_pool(f);
    if (status == STATUS_BLOCKED)
        return 2;
    if (status == STATUS_HELD)
        sql(f, "UPDATE item_stages SET status = 'held' WHERE id = 1");
    else if (status == STATUS_CANCELLED)
        sql(f, "UPDATE item_stages SET status = 'cancelled' WHERE id = 1");
    else if (status != STATUS_PENDING)
        run = claim(f);
    if (status == STATUS_DONE)
        (void)end(f, &run, END_DONE);
    else if (status == STATUS_SKIPPED)
        (void)end(f, &run, END_SKIP);
    else if (status == STATUS_FAILED)
        (void)end(f, &run, END_FAIL);
    else if (status == STATUS_RETRY_LATER)
        (void)end(f, &run, END_RETRY);
    else if (status == STATUS_EXHAUSTED)
        sql(f, "UPDATE item_stages SET status = 'exhausted', attempts = 5 WHERE id = 1");
    run_fini(&run);
    return 1;
}

static const struct {
    enum stage_status from, retried, cancelled;
} reaching[] = {
    {STATUS_BLOCKED, STATUS_BLOCKED, STATUS_CANCELLED},
    {STATUS_PENDING, STATUS_PENDING, STATUS_CANCELLED},
    {STATUS_IN_PROGRESS, STATUS_IN_PROGRESS, STATUS_CANCELLED},
    {STATUS_RETRY_LATER, STATUS_RETRY_LATER, STATUS_CANCELLED},
    {STATUS_HELD, STATUS_HELD, STATUS_CANCELLED},
    {STATUS_DONE, STATUS_DONE, STATUS_DONE},
    {STATUS_SKIPPED, STATUS_SKIPPED, STATUS_SKIPPED},
    {STATUS_FAILED, STATUS_PENDING, STATUS_CANCELLED},
    {STATUS_EXHAUSTED, STATUS_PENDING, STATUS_CANCELLED},
    {STATUS_CANCELLED, STATUS_PENDING, STATUS_CANCELLED},
};

static void check_reached(
    struct fixture *f, enum act which, enum stage_status from, enum stage_status to)
{
    int64_t id = bring(f, from);
    char *row CLEANUP_FREE =
        xasprintf("SELECT status FROM item_stages WHERE id = %lld", (long long)id);
    char *before CLEANUP_FREE = sql_text(f, row);
    assert_string_equal(before, status_name(from));
    struct act_report report = act(f, which, id == 1 ? "job:j stage:a" : "job:j stage:b");
    char *after CLEANUP_FREE = sql_text(f, row);
    if (strcmp(after, status_name(to)) != 0)
        fail_msg("%s: %s, not %s", status_name(from), after, status_name(to));
    assert_int_equal(report.changed, from != to);
    assert_int_equal(report.claimable, which == ACT_RETRY && to != from);
    assert_int_equal(report.running, from == STATUS_IN_PROGRESS && to != from);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM events WHERE event LIKE 'run.%' AND event <> 'run_start'"),
        report.changed);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event LIKE 'run.%'"
                                " AND event <> 'run_start' AND data ->> 'uid' = 42"),
        report.changed);
    assert_int_equal(act(f, which, "job:j stage:a stage:b").changed, 0);
    verify(f);
}

static void test_every_status(void **state)
{
    (void)state;
    assert_int_equal(sizeof reaching / sizeof reaching[0], STATUS_COUNT);
    for (size_t i = 0; i < 2 * STATUS_COUNT; i++) {
        void *own = NULL;
        assert_int_equal(fixture_setup(&own), 0);
        enum act which = i % 2 ? ACT_RETRY : ACT_CANCEL;
        enum stage_status to = i % 2 ? reaching[i / 2].retried : reaching[i / 2].cancelled;
        check_reached(own, which, reaching[i / 2].from, to);
        assert_int_equal(fixture_teardown(&own), 0);
    }
}

static void test_retry_gives_all_tries(void **state)
{
    struct fixture *f = *state;
    (void)bring(f, STATUS_EXHAUSTED);
    sql(f, "UPDATE work_items SET queued_at = 5");
    sql(f, "UPDATE item_stages SET error = 'x', checkpoint = '7', rank = 5");
    assert_int_equal(act(f, ACT_RETRY, "k").changed, 1);
    char *row CLEANUP_FREE = sql_text(f, "SELECT attempts || coalesce(error, '-') || checkpoint"
                                         " FROM item_stages WHERE id = 1");
    assert_string_equal(row, "0-7");
    assert_int_equal(sql_int(f, "SELECT count(DISTINCT rank) FROM item_stages"), 1);
    assert_true(sql_int(f, "SELECT rank FROM item_stages WHERE id = 1") > 5);
    work_one(f);
    work_one(f);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'done'"), 2);
    verify(f);
}

static void test_a_whole_item(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    work_one(f);
    assert_int_equal(act(f, ACT_CANCEL, "job:j").changed, 3);
    assert_int_equal(count_runs(f, "item:cancelled"), 4);
    assert_int_equal(act(f, ACT_RETRY, "item:cancelled").changed, 3);
    char *row CLEANUP_FREE = sql_text(
        f, "SELECT group_concat(status) FROM (SELECT status FROM item_stages ORDER BY id)");
    assert_string_equal(row, "done,pending,pending,blocked");
    verify(f);
}

/* What is decided for an item holds for all its runs, though each of them changes it. */
static void test_by_the_status_of_items(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 700; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    assert_int_equal(act(f, ACT_CANCEL, "item:pending").changed, 1400);
    assert_int_equal(act(f, ACT_RETRY, "item:cancelled").changed, 1400);
    verify(f);
}

static void test_bites(void **state)
{
    struct fixture *f = *state;
    struct filter filter CLEANUP(filter_fini) = FILTER_INIT;
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct act_options opts = {.act = ACT_CANCEL, .catalog = f->catalog};
    struct act_report report = {.changed = 0};
    for (int i = 0; i < 1250; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    parse_filter("job:j", &filter);
    ok(f, selection_open(f->store, &filter, act_statuses(ACT_CANCEL), &sel, &f->err));
    ok(f, act_bite(sel, f->store, &opts, &report, &f->err));
    assert_int_equal(report.changed, ACT_BITE);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM events WHERE event = 'run.cancelled'"), ACT_BITE);
    verify(f);
    /* Interrupted, and begun anew: only what is left. */
    assert_int_equal(act(f, ACT_CANCEL, "job:j").changed, 2500 - ACT_BITE);
    verify(f);
}

static void test_a_change_in_between_is_respected(void **state)
{
    struct fixture *f = *state;
    struct filter filter CLEANUP(filter_fini) = FILTER_INIT;
    struct selection *sel CLEANUP(cleanup_selection) = NULL;
    struct act_options opts = {.act = ACT_CANCEL, .catalog = f->catalog};
    struct act_report report = {.changed = 0};
    struct run_row row;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    parse_filter("stage:a attempts:0", &filter);
    ok(f, selection_open(f->store, &filter, act_statuses(ACT_CANCEL), &sel, &f->err));
    assert_int_equal(selection_next(sel, &row, &f->err), RC_ROW); /* the page is read */
    selection_put_back(sel);
    work_one(f);
    ok(f, act_bite(sel, f->store, &opts, &report, &f->err));
    assert_int_equal(report.changed, 1);
    char *done CLEANUP_FREE = sql_text(f, "SELECT status FROM item_stages WHERE id = 1");
    assert_string_equal(done, "done");
    verify(f);
}

static void change_one(void *ctx)
{
    sql(ctx, "UPDATE item_stages SET error = 'another' WHERE id = 1");
}

/* Found, and changed by somebody else before the write lock was there. */
static void test_a_change_before_the_lock_is_respected(void **state)
{
    struct fixture *f = *state;
    struct filter filter CLEANUP(filter_fini) = FILTER_INIT;
    struct store_options opts = {.path = f->path, .hooks = {.ctx = f, .on_begin = change_one}};
    struct act_options act_opts = {.act = ACT_CANCEL, .catalog = f->catalog};
    struct act_report report = {.changed = 0};
    struct store *store = NULL;
    struct selection *sel = NULL;
    add(f, "k");
    add(f, "l");
    parse_filter("stage:a error=\"\"", &filter);
    ok(f, store_open(&opts, &store, &f->err));
    ok(f, selection_open(store, &filter, act_statuses(ACT_CANCEL), &sel, &f->err));
    ok(f, act_bite(sel, store, &act_opts, &report, &f->err));
    assert_int_equal(report.changed, 1);
    char *left CLEANUP_FREE = sql_text(f, "SELECT status FROM item_stages WHERE id = 1");
    assert_string_equal(left, "pending");
    selection_close(sel);
    store_close(store);
    verify(f);
}

static void test_cancel_or_completion_wins(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    start_pool(f);
    struct run first = claim(f), second = claim(f);
    assert_int_equal(act(f, ACT_CANCEL, "k").running, 1);
    bool is_mine = true;
    ok(f, store_claim_is_mine(f->store, &first, &is_mine, &f->err));
    assert_false(is_mine);
    assert_true(end(f, &first, END_DONE).is_outcome_lost);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM results"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'claim.lost'"), 1);
    assert_false(end(f, &second, END_DONE).is_outcome_lost);
    assert_int_equal(act(f, ACT_CANCEL, "key:l stage:a").changed, 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM results"), 1);
    char *claim_text CLEANUP_FREE =
        sql_text(f, "SELECT data ->> 'claim' FROM events WHERE event = 'run.cancelled'");
    assert_string_equal(claim_text, "1-1");
    run_fini(&first);
    run_fini(&second);
    verify(f);
}

static void test_what_left_the_configuration(void **state)
{
    struct fixture *f = *state;
    (void)bring(f, STATUS_FAILED);
    sql(f, "UPDATE stages SET enabled = 0");
    struct act_report report = act(f, ACT_RETRY, "job:j");
    assert_int_equal(report.changed, 0);
    assert_int_equal(report.left_out, 1);
    assert_int_equal(act(f, ACT_CANCEL, "job:j").changed, 2);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status),
        T(test_retry_gives_all_tries),
        T(test_a_whole_item),
        T(test_by_the_status_of_items),
        T(test_bites),
        T(test_a_change_in_between_is_respected),
        T(test_a_change_before_the_lock_is_respected),
        T(test_cancel_or_completion_wins),
        T(test_what_left_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
