/* Which stage runs a filter selects: as plain SQL would say it. */
#include "tests/store/selecting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define TWO_JOBS TWO_STAGES "[job k]\nhandler = builtin noop\n[job empty]\nhandler = builtin noop\n"

/* 600 items of j, 30 of k, in all statuses. */
static void fill(struct fixture *f)
{
    fixture_configure(f, TWO_JOBS);
    for (int i = 0; i < 630; i++) {
        char key[16];
        struct add_options opts = {.source = i % 3 ? "manual" : "discover"};
        struct add_item item = {.key = key, .priority = i % 7, .has_priority = true};
        struct add_report report = {0};
        (void)snprintf(key, sizeof key, "k%03d", i);
        ok(f, store_add(
                  f->store, job(f, i < 600 ? "j" : "k"), &item, 1, &opts, &report, NULL, &f->err));
    }
    sql(f, "UPDATE item_stages SET status = 'in_progress', claim = 16777216 + id, attempts = 1"
           " WHERE status = 'pending' AND item_id % 11 <> 0");
    static const char *const to[] = {"done", "retry_later", "failed", "exhausted", "held"};
    for (int i = 0; i < 5; i++) {
        char *text CLEANUP_FREE = xasprintf(
            "UPDATE item_stages SET status = '%s', claim = CASE WHEN '%s' = 'held' THEN NULL ELSE"
            " claim END, attempts = item_id %% 6, error = CASE WHEN item_id %% 2 THEN 'Timeout"
            " after ' || item_id END, next_attempt_at = CASE WHEN '%s' = 'retry_later' THEN item_id"
            " / 4 END WHERE status = 'in_progress' AND item_id %% 11 = %d",
            to[i], to[i], to[i], i + 1);
        sql(f, text);
    }
    sql(f, "UPDATE item_stages SET status = 'cancelled', claim = NULL WHERE status = 'held'"
           " AND item_id % 2 = 0");
    sql(f, "UPDATE item_stages SET status = 'skipped' WHERE status = 'held' AND item_id % 3 = 0");
    sql(f, "UPDATE work_items SET created_at = created_at - id * 60000");
}

static const struct {
    const char *filter, *where; /* s: runs, w: items, g: stages, j: jobs, d: derived */
} selecting[] = {
    {"", "1"},
    {"job:j", "j.name = 'j'"},
    {"job:k", "j.name = 'k'"},
    {"job:empty", "0"},
    {"job:nosuch", "0"},
    {"job!=j", "j.name <> 'j'"},
    {"-job:j stage:k", "g.name = 'k'"},
    {"stage:b", "g.name = 'b'"},
    {"stage:a,b", "g.name IN ('a', 'b')"},
    {"stage~A", "g.name = 'a'"},
    {"status:pending", "s.status = 'pending'"},
    {"status:blocked", "s.status = 'blocked'"},
    {"status:in_progress", "s.status = 'in_progress'"},
    {"status:retry_later", "s.status = 'retry_later'"},
    {"status:done", "s.status = 'done'"},
    {"status:failed", "s.status = 'failed'"},
    {"status:exhausted", "s.status = 'exhausted'"},
    {"status:held", "s.status = 'held'"},
    {"status:cancelled", "s.status = 'cancelled'"},
    {"status:skipped", "s.status = 'skipped'"},
    {"status:failed,exhausted job:j", "s.status IN ('failed', 'exhausted') AND j.name = 'j'"},
    {"status!=done", "s.status <> 'done'"},
    {"status:pending,retry_later,in_progress stage:k",
        "s.status IN ('pending', 'retry_later', 'in_progress') AND g.name = 'k'"},
    {"status:failed status:held", "0"},
    {"status:done,failed stage:a", "s.status IN ('done', 'failed') AND g.name = 'a'"},
    {"k005", "w.item_key = 'k005'"},
    {"key:k005,k610,nosuch", "w.item_key IN ('k005', 'k610')"},
    {"key:k005 stage:b", "w.item_key = 'k005' AND g.name = 'b'"},
    {"key:k005 job:k", "0"},
    {"-k005 job:j", "w.item_key <> 'k005' AND j.name = 'j'"},
    {"key~K00 job:j", "w.item_key LIKE '%k00%' AND j.name = 'j'"},
    {"key~k00", "w.item_key LIKE '%k00%'"},
    {"error:timeout", "s.error LIKE '%timeout%'"},
    {"-error:timeout status:failed", "s.error IS NULL AND s.status = 'failed'"},
    {"error=\"Timeout after 3\"", "s.error = 'Timeout after 3'"},
    {"source:discover", "w.source = 'discover'"},
    {"attempts>=3", "s.attempts >= 3"},
    {"attempts:1,2 job:k", "s.attempts IN (1, 2) AND j.name = 'k'"},
    {"priority>4", "w.priority > 4"},
    {"age>1h", "w.id >= 60"},
    {"age<30m", "w.id < 30"},
    {"changed<1h", "1"},
    {"item:failed", "d.derived_status = 'failed'"},
    {"item:done", "d.derived_status = 'done'"},
    {"item!=failed,pending stage:a",
        "d.derived_status NOT IN ('failed', 'pending') AND g.name = 'a'"},
    {"item:cancelled job:j", "d.derived_status = 'cancelled' AND j.name = 'j'"},
    {"item:in_progress status:blocked",
        "d.derived_status = 'in_progress' AND s.status = 'blocked'"},
};

static void test_selecting(void **state)
{
    struct fixture *f = *state;
    fill(f);
    for (size_t i = 0; i < sizeof selecting / sizeof selecting[0]; i++) {
        char *text CLEANUP_FREE =
            xasprintf("SELECT count(*) FROM item_stages s JOIN work_items w ON w.id = s.item_id"
                      " JOIN stages g ON g.id = s.stage_id JOIN jobs j ON j.id = w.job_id"
                      " JOIN item_derived_status d ON d.item_id = w.id WHERE %s",
                selecting[i].where);
        int64_t expected = sql_int(f, text), found = count_runs(f, selecting[i].filter);
        if (expected != found)
            fail_msg(
                "%s: %lld, not %lld", selecting[i].filter, (long long)found, (long long)expected);
    }
    for (int i = 0; i < STATUS_COUNT; i++) { /* the fixture is worth something */
        char *text CLEANUP_FREE = xasprintf("SELECT count(*) FROM item_stages WHERE status = '%s'",
            status_name((enum stage_status)i));
        assert_true(sql_int(f, text) > 0);
    }
}

static void test_hidden_jobs_are_asked_for(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, "[job j]\nhandler = builtin noop\ndiscover = exec true\n");
    struct add_report report = {0};
    ok(f, store_open_discoveries(f->store, f->catalog, &report, &f->err));
    assert_int_equal(count_runs(f, ""), 0);
    assert_int_equal(count_runs(f, "status:pending"), 0);
    assert_int_equal(count_runs(f, "-job:j"), 0);
    assert_int_equal(count_runs(f, "job:@discover"), 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_selecting),
        T(test_hidden_jobs_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
