/* "Adding means: make it so": new, merged, reopened, unchanged; and what SQL submits. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/store/merge.h"

static const struct add_options RETRY = {.source = "manual", .wants_retry = true};

static void assert_report(
    struct add_report r, int new_items, int merged, int reopened, int unchanged)
{
    assert_int_equal(r.new_items, new_items);
    assert_int_equal(r.merged, merged);
    assert_int_equal(r.reopened, reopened);
    assert_int_equal(r.unchanged, unchanged);
}

static void assert_text(struct fixture *f, const char *query, const char *expected)
{
    CLEANUP_FREE char *text = sql_text(f, query);
    assert_string_equal(text, expected);
}

#define DATA "SELECT data FROM work_items WHERE item_key = 'k'"
#define STATUSES                                                                                   \
    "SELECT group_concat(s.status) FROM item_stages s JOIN work_items w ON w.id = s.item_id"       \
    " WHERE w.item_key = 'k'"

static void test_new_and_unfinished(void **state)
{
    struct fixture *f = *state;
    struct add_report r = add_with(f, "k", "{\"a\": 1}", NULL);
    assert_report(r, 1, 0, 0, 0);
    assert_int_equal(r.claimable, 1);
    assert_text(f, STATUSES, "pending,blocked");
    assert_report(add_with(f, "k", NULL, NULL), 0, 0, 0, 1);
    assert_report(add_with(f, "k", " {\"a\":1 } ", NULL), 0, 0, 0, 1); /* the same JSON */
    assert_report(add_with(f, "k", "{\"a\":2}", NULL), 0, 1, 0, 0);
    assert_text(f, DATA, "{\"a\":2}");
    verify(f);
}

static void test_number_text_is_kept(void **state)
{
    struct fixture *f = *state;
    (void)add_with(f, "k", "[1.0, 1e3, 12345678901234567890, \"\\u00e4\"]", NULL);
    assert_text(f, DATA, "[1.0,1e3,12345678901234567890,\"\\u00e4\"]");
}

static void test_priority_moves(void **state)
{
    struct fixture *f = *state;
    static const struct add_options opts = {.source = "manual"};
    add(f, "k");
    int64_t before = sql_int(f, "SELECT max(rank) FROM item_stages");
    struct add_item item = {.key = "k", .priority = 2, .has_priority = true};
    struct add_report r = {0};
    ok(f, store_add(f->store, job(f, "j"), &item, 1, &opts, &r, NULL, &f->err));
    assert_report(r, 0, 1, 0, 0);
    assert_int_equal(sql_int(f, "SELECT max(rank) FROM item_stages"), before - 2 * 3600000);
    assert_int_equal(merge_rank(0, 1000000, 3600000), -7LL * 86400000);
    assert_int_equal(merge_rank(5, -1000000, 3600000), 5 + 7LL * 86400000);
    verify(f);
}

static void test_keep(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, "[job j]\nmerge = keep\nhandler = builtin noop\n");
    (void)add_with(f, "k", "{\"a\":1}", NULL);
    assert_report(add_with(f, "k", "{\"a\":2}", NULL), 0, 0, 0, 1);
    assert_text(f, DATA, "{\"a\":1}");
}

static void finish(struct fixture *f)
{
    start_pool(f);
    for (struct run run = claim(f); run.id; run = claim(f)) {
        (void)end(f, &run, END_DONE);
        run_fini(&run);
    }
}

static void test_done_is_not_rerun(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    finish(f);
    assert_report(add_with(f, "k", NULL, NULL), 0, 0, 0, 1);
    assert_report(add_with(f, "k", "{\"a\":2}", NULL), 0, 1, 0, 0);
    assert_text(f, STATUSES, "done,done");
    assert_report(add_with(f, "k", NULL, &RETRY), 0, 0, 0, 1);
    verify(f);
}

static void test_rerun_on_change(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, "[job j]\non_change = rerun\nstages = a b\n[stage j.a]\nhandler = builtin "
                         "noop\n[stage j.b]\nhandler = builtin noop\n");
    add(f, "k");
    finish(f);
    assert_report(add_with(f, "k", "{}", NULL), 0, 0, 0, 1);
    struct add_report r = add_with(f, "k", "{\"a\":2}", NULL);
    assert_report(r, 0, 0, 1, 0);
    assert_int_equal(r.claimable, 1);
    assert_text(f, STATUSES, "pending,blocked");
    assert_int_equal(sql_int(f, "SELECT sum(superseded) FROM results"), 2);
    verify(f);
    finish(f);
    assert_text(f, STATUSES, "done,done");
    assert_int_equal(sql_int(f, "SELECT sum(superseded) FROM results"), 0);
    verify(f);
}

#define VERSIONED                                                                                  \
    "[job j]\nstages = a b\n[stage j.a]\nhandler = builtin noop\n"                                 \
    "[stage j.b]\nhandler = builtin noop\nversion = %s\n"

static void test_another_version(void **state)
{
    struct fixture *f = *state;
    char text[256];
    (void)snprintf(text, sizeof text, VERSIONED, "1");
    fixture_configure(f, text);
    add(f, "k");
    finish(f);
    assert_report(add_with(f, "k", NULL, NULL), 0, 0, 0, 1);
    (void)snprintf(text, sizeof text, VERSIONED, "2");
    fixture_configure(f, text);
    assert_report(add_with(f, "k", NULL, NULL), 0, 0, 1, 0);
    assert_text(f, STATUSES, "done,pending");
    verify(f);
    finish(f);
    assert_report(add_with(f, "k", NULL, NULL), 0, 0, 0, 1);
    assert_text(f, "SELECT handler_version FROM results WHERE handler_version IS NOT NULL", "2");
}

static void test_retry_of_ended(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    work_one(f);
    struct run run = claim(f);
    (void)end(f, &run, END_FAIL);
    run_fini(&run);
    struct add_report r = add_with(f, "k", NULL, NULL);
    assert_report(r, 0, 0, 0, 1);
    assert_int_equal(r.ended, 1);
    r = add_with(f, "k", NULL, &RETRY);
    assert_report(r, 0, 0, 1, 0);
    assert_int_equal(r.ended, 0);
    assert_text(f, STATUSES, "done,pending");
    assert_int_equal(sql_int(f, "SELECT attempts FROM item_stages WHERE status = 'pending'"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'item.reopened'"), 1);
    verify(f);
    sql(f, "UPDATE item_stages SET status = 'cancelled' WHERE status = 'pending'");
    assert_report(add_with(f, "k", NULL, &RETRY), 0, 0, 1, 0);
    finish(f);
    assert_text(f, STATUSES, "done,done");
    verify(f);
}

static void test_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    static const struct add_options opts = {.source = "manual"}, dry = {.is_dry_run = true};
    struct add_item items[] = {{.key = "a"}, {.key = "b"}, {.key = "bad\n"}};
    struct add_report r = {0};
    size_t bad = 0;
    assert_int_equal(
        store_add(f->store, job(f, "j"), items, 3, &opts, &r, &bad, &f->err), RC_INVALID);
    assert_int_equal(bad, 2);
    items[2] = (struct add_item){.key = "c", .data = "{nope"};
    assert_int_equal(
        store_add(f->store, job(f, "j"), items, 3, &opts, &r, &bad, &f->err), RC_INVALID);
    items[2].data = "\"\xff\"";
    assert_int_equal(
        store_add(f->store, job(f, "j"), items, 3, &opts, &r, &bad, &f->err), RC_INVALID);
    assert_int_equal(r.new_items, 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM work_items"), 0);
    ok(f, store_add(f->store, job(f, "j"), items, 2, &dry, &r, &bad, &f->err));
    assert_int_equal(r.new_items, 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM work_items"), 0);
    verify(f);
}

static void admit(struct fixture *f, struct add_report *r, bool *left)
{
    ok(f, store_admit_inbox(f->store, f->catalog, 2, r, left, &f->err));
}

static void test_submit(void **state)
{
    struct fixture *f = *state;
    sql(f, "INSERT INTO submit (job, item_key, data, priority) VALUES ('j', 'k', '{\"a\": 1}', 3)");
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'l')");
    sql(f, "INSERT INTO submit (job, item_key) SELECT 'j', 'k'");
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 3);
    struct add_report r = {0};
    bool left = false;
    admit(f, &r, &left);
    assert_true(left);
    admit(f, &r, &left);
    assert_false(left);
    assert_report(r, 2, 0, 0, 1);
    assert_text(f, DATA, "{\"a\":1}");
    assert_text(f, "SELECT priority || source FROM work_items WHERE item_key = 'k'", "3inbox");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM inbox"), 0);
    admit(f, &r, &left);
    assert_report(r, 2, 0, 0, 1);
    verify(f);
}

static void test_submit_refuses(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *values, *why;
    } cases[] = {
        {"'nope', 'k', NULL, NULL", "no such job"},
        {"'@discover', 'k', NULL, NULL", "no such job"},
        {"NULL, 'k', NULL, NULL", "no such job"},
        {"'j', NULL, NULL, NULL", "missing"},
        {"'j', '', NULL, NULL", "1 to 512"},
        {"'j', 'a' || char(10), NULL, NULL", "control"},
        {"'j', 'a' || char(127), NULL, NULL", "control"},
        {"'j', 'a' || char(133), NULL, NULL", "control"},
        {"'j', 'a' || char(0) || 'b', NULL, NULL", "control"},
        {"'j', 'k', '{nope', NULL", "JSON"},
        {"'j', 'k', x'7b7d', NULL", "JSON"},
        {"'j', 'k', NULL, 1000001", "priority"},
        {"'j', 'k', NULL, 'high'", "priority"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text,
            "INSERT INTO submit (job, item_key, data, priority) VALUES (%s)", cases[i].values);
        const char *why = sql_fails(f, text);
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", text, why);
    }
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'pïñé [x] - ~')");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM inbox"), 1);
}

static void test_refused_rows_block_nothing(void **state)
{
    struct fixture *f = *state;
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'one')");
    sql(f, "INSERT INTO inbox (job_id, item_key, created_at) SELECT job_id, 'bad' || char(10), 0"
           " FROM inbox");
    sql(f, "INSERT INTO jobs (name, created_at) VALUES ('other', 0)");
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('other', 'two')");
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'three')");
    struct add_report r = {0};
    bool left = true;
    ok(f, store_admit_inbox(f->store, f->catalog, 100, &r, &left, &f->err));
    assert_false(left);
    assert_report(r, 2, 0, 0, 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM inbox WHERE refused_why <> ''"), 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM submit"), 0);
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 2);
}

static void test_discoveries(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, "[job j]\nhandler = builtin noop\ndiscover = glob /etc/*\n"
                         "[job m]\nhandler = builtin noop\n");
    struct add_report r = {0};
    ok(f, store_open_discoveries(f->store, f->catalog, &r, &f->err));
    assert_report(r, 1, 0, 0, 0);
    assert_text(
        f, "SELECT item_key || data FROM v_items WHERE job = '@discover'", "j{\"job\":\"j\"}");
    ok(f, store_open_discoveries(f->store, f->catalog, &r, &f->err));
    assert_report(r, 1, 0, 0, 1); /* it still moves */
    struct rest rest = {0};
    ok(f, store_rest(f->store, job(f, "j")->id, &rest, &f->err));
    assert_int_equal(rest.moving, 1);
    sql(f, "UPDATE item_stages SET status = 'in_progress', claim = 1");
    sql(f, "UPDATE item_stages SET status = 'done', claim = NULL");
    sql(f,
        "INSERT INTO results (item_id, stage_id, created_at, data) SELECT item_id, stage_id, 0, 1"
        " FROM item_stages");
    ok(f, store_open_discoveries(f->store, f->catalog, &r, &f->err));
    assert_int_equal(r.reopened, 1);
    assert_text(f, "SELECT status FROM item_stages", "pending");
    fixture_configure(f, "[job m]\nhandler = builtin noop\n");
    ok(f, store_open_discoveries(f->store, f->catalog, &r, &f->err));
    assert_text(f, "SELECT status FROM item_stages", "skipped");
    verify(f);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_new_and_unfinished),
        T(test_number_text_is_kept),
        T(test_priority_moves),
        T(test_keep),
        T(test_done_is_not_rerun),
        T(test_rerun_on_change),
        T(test_another_version),
        T(test_retry_of_ended),
        T(test_all_or_nothing),
        T(test_submit),
        T(test_submit_refuses),
        T(test_refused_rows_block_nothing),
        T(test_discoveries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
