/* What people ask: counts, results and events in pages, the owner of a claim. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/store/look.h"

struct seen {
    size_t rows;
    int64_t last_id;
    struct buf text;
};

static void cleanup_seen(struct seen *seen)
{
    buf_fini(&seen->text);
}

static enum rc on_count(void *ctx, const struct stage_count *row)
{
    struct seen *seen = ctx;
    seen->rows++;
    if (strcmp(row->job, "j") == 0)
        buf_addf(&seen->text, "%s %d%d items %lld pending %lld blocked %lld %s;", row->stage,
            row->is_enabled, row->is_paused, (long long)row->items,
            (long long)row->counts[STATUS_PENDING], (long long)row->counts[STATUS_BLOCKED],
            row->pause_reason ? row->pause_reason : "-");
    return RC_OK;
}

static void test_counts(void **state)
{
    struct fixture *f = *state;
    CLEANUP(cleanup_seen) struct seen seen = {0};
    add(f, "k");
    add(f, "l");
    sql(f, "INSERT INTO pauses (kind, name, stage_id, reason, updated_at)"
           " VALUES ('stage', 'j.b', 2, 'broken', 0)");
    ok(f, look_counts(f->store, on_count, &seen, &f->err));
    assert_string_equal(buf_str(&seen.text), "a 10 items 2 pending 2 blocked 0 -;"
                                             "b 11 items 2 pending 0 blocked 2 broken;");
    assert_int_equal(seen.rows, 3);
}

static enum rc on_result(void *ctx, const struct result_row *row)
{
    struct seen *seen = ctx;
    assert_true(row->item_id >= seen->last_id);
    assert_string_equal(row->status, "done");
    assert_string_equal(row->data, "{\"ok\":true}");
    seen->last_id = row->item_id;
    seen->rows++;
    return RC_OK;
}

static void test_results_in_pages(void **state)
{
    struct fixture *f = *state;
    start_pool(f);
    for (int i = 0; i < 250; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        add(f, key);
        work_one(f);
        work_one(f);
    }
    struct seen all = {0}, one = {0}, none = {0};
    ok(f, look_results(f->store, "j", NULL, on_result, &all, &f->err));
    assert_int_equal(all.rows, 500);
    ok(f, look_results(f->store, "j", "b", on_result, &one, &f->err));
    assert_int_equal(one.rows, 250);
    ok(f, look_results(f->store, "nope", NULL, on_result, &none, &f->err));
    assert_int_equal(none.rows, 0);
    sql(f, "UPDATE results SET superseded = 1 WHERE item_id < 11");
    one = (struct seen){0};
    ok(f, look_results(f->store, "j", "a", on_result, &one, &f->err));
    assert_int_equal(one.rows, 240);
}

static enum rc on_event(void *ctx, const struct event_row *row)
{
    struct seen *seen = ctx;
    assert_true(row->id > seen->last_id);
    seen->last_id = row->id;
    seen->rows++;
    if (seen->rows == 1 && row->key)
        buf_addf(&seen->text, "%s %s %s %s", row->event, row->job, row->stage, row->key);
    return RC_OK;
}

static void test_events(void **state)
{
    struct fixture *f = *state;
    CLEANUP(cleanup_seen) struct seen first = {0};
    CLEANUP(cleanup_seen) struct seen all = {0};
    CLEANUP(cleanup_seen) struct seen tail = {0};
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    (void)end(f, &run, END_RETRY);
    run_fini(&run);
    for (int i = 0; i < 450; i++)
        sql(f, "INSERT INTO events (ts, event) VALUES (1, 'other')");
    ok(f, look_events(f->store, 0, NULL, INT64_MAX, on_event, &all, &f->err));
    assert_int_equal(all.rows, 452);
    ok(f, look_events(f->store, 0, "attempt.failed", 10, on_event, &first, &f->err));
    assert_string_equal(buf_str(&first.text), "attempt.failed j a k");
    assert_int_equal(first.rows, 1);
    int64_t after = -1;
    ok(f, look_events_tail(f->store, NULL, 5, &after, &f->err));
    ok(f, look_events(f->store, after, NULL, 100, on_event, &tail, &f->err));
    assert_int_equal(tail.rows, 5);
    ok(f, look_events_tail(f->store, "attempt.failed", 5, &after, &f->err));
    tail.rows = 0;
    tail.last_id = 0;
    ok(f, look_events(f->store, after, "attempt.failed", 100, on_event, &tail, &f->err));
    assert_int_equal(tail.rows, 1);
    ok(f, look_events_tail(f->store, "nothing.such", 5, &after, &f->err));
    assert_int_equal(after, 452); /* only what comes from now on */
    sql(f, "DELETE FROM events");
    ok(f, look_events_tail(f->store, NULL, 5, &after, &f->err));
    assert_int_equal(after, 0);
}

static enum rc on_owner(void *ctx, const struct claim_owner *row)
{
    buf_addf(ctx, "%s %s %s", row->job, row->stage, row->key);
    return RC_OK;
}

static void test_owner_of_a_claim(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    ok(f, look_claim(f->store, run.claim, on_owner, &text, &f->err));
    assert_string_equal(buf_str(&text), "j a k");
    (void)end(f, &run, END_DONE);
    assert_int_equal(look_claim(f->store, run.claim, on_owner, &text, &f->err), RC_NOTFOUND);
    run_fini(&run);
    int64_t db = 0, wal = 0;
    look_sizes(f->path, &db, &wal);
    assert_true(wal > 0);
    look_sizes("/nowhere/x", &db, &wal);
    assert_int_equal(db + wal, 0);
}

static void test_views(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    CLEANUP_FREE char *when = sql_text(f, "SELECT started_at FROM v_stages WHERE stage = 'a'");
    assert_int_equal(strlen(when), 24);
    assert_int_equal(when[23], 'Z');
    CLEANUP_FREE char *claim_text = sql_text(f, "SELECT claim FROM v_stages WHERE stage = 'a'");
    assert_string_equal(claim_text, "1-1");
    CLEANUP_FREE char *status = sql_text(f, "SELECT status FROM v_items");
    assert_string_equal(status, "in_progress");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM v_queue"), 1);
    (void)end(f, &run, END_FAIL);
    CLEANUP_FREE char *failed = sql_text(f, "SELECT status FROM v_items");
    assert_string_equal(failed, "failed");
    run_fini(&run);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_counts),
        T(test_results_in_pages),
        T(test_events),
        T(test_owner_of_a_claim),
        T(test_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
