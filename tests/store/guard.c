/* The database refuses what the table of statuses does not have, whoever writes. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>

static void set_status(struct fixture *f, const char *status)
{
    char text[256];
    (void)snprintf(text, sizeof text,
        "DELETE FROM item_stages; INSERT INTO item_stages (item_id, stage_id, status, rank, claim,"
        " updated_at) SELECT 1, id, '%s', 0, 5, 0 FROM stages WHERE name = 'a'",
        status);
    sql(f, text);
}

static void test_trigger_equals_table(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    int allowed = 0;
    for (int from = 0; from < STATUS_COUNT; from++) {
        for (int to = 0; to < STATUS_COUNT; to++) {
            char text[128];
            (void)snprintf(text, sizeof text, "UPDATE item_stages SET status = '%s'",
                status_name((enum stage_status)to));
            set_status(f, status_name((enum stage_status)from));
            if (status_may_become((enum stage_status)from, (enum stage_status)to)) {
                sql(f, text);
                allowed++;
            } else {
                assert_non_null(strstr(sql_fails(f, text), "cannot go"));
            }
        }
    }
    assert_int_equal(allowed, 44);
}

static void test_unknown_words(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    (void)sql_fails(f, "UPDATE item_stages SET status = 'nonsense'");
    (void)sql_fails(f, "UPDATE item_stages SET status = NULL");
    (void)sql_fails(f, "INSERT INTO item_stages (item_id, stage_id, status, rank, updated_at)"
                       " VALUES (1, 99, 'nonsense', 0, 0)");
    (void)sql_fails(f, "INSERT INTO item_stages (item_id, stage_id, status, rank, updated_at)"
                       " VALUES (1, 99, 'in_progress', 0, 0)");
}

static void test_raw_done(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    (void)sql_fails(f, "UPDATE item_stages SET status = 'done'");
    (void)sql_fails(f, "UPDATE item_stages SET status = 'in_progress' WHERE status = 'pending'");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'pending'"), 1);
}

static void test_claim_stays(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    (void)sql_fails(f, "UPDATE item_stages SET claim = NULL WHERE status = 'in_progress'");
    (void)sql_fails(f, "UPDATE item_stages SET stage_id = 3 - stage_id");
    run_fini(&run);
}

static void test_counts_follow_foreign_writers(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    add(f, "l");
    verify(f);
    sql(f, "UPDATE item_stages SET status = 'held' WHERE status = 'pending'");
    verify(f);
    assert_int_equal(sql_int(f, "SELECT sum(held) FROM stage_counts"), 2);
    sql(f, "UPDATE item_stages SET status = 'pending' WHERE status = 'held'");
    sql(f, "BEGIN; UPDATE item_stages SET status = 'cancelled' WHERE status = 'blocked'; ROLLBACK");
    verify(f);
    sql(f, "PRAGMA foreign_keys = OFF; DELETE FROM item_stages WHERE item_id = 1;"
           " DELETE FROM work_items WHERE id = 1");
    verify(f);
    assert_int_equal(sql_int(f, "SELECT sum(pending) + sum(blocked) FROM stage_counts"), 2);
}

/* A row at a time, many in one statement, a status changed twice in one transaction, a statement
 * that fails half-way. */
static void test_counts_follow_foreign_inserts(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    sql(f, "INSERT INTO work_items (job_id, item_key, created_at, updated_at)"
           " SELECT job_id, 'f' || value, 0, 0 FROM work_items, json_each('[1,2,3,4]')");
    sql(f, "INSERT INTO item_stages (item_id, stage_id, status, rank, updated_at)"
           " SELECT w.id, g.id, CASE g.name WHEN 'a' THEN 'pending' ELSE 'blocked' END, 0, 0"
           " FROM work_items w, stages g WHERE w.item_key LIKE 'f%' AND g.job_id = w.job_id");
    verify(f);
    assert_int_equal(sql_int(f, "SELECT sum(pending) FROM stage_counts"), 5);
    sql(f, "BEGIN; UPDATE item_stages SET status = 'held' WHERE status = 'pending';"
           " UPDATE item_stages SET status = 'cancelled' WHERE status = 'held'; COMMIT");
    verify(f);
    assert_int_equal(sql_int(f, "SELECT sum(cancelled) FROM stage_counts"), 5);
    (void)sql_fails(f, "UPDATE item_stages SET status = CASE WHEN id % 4 = 3 THEN 'done' ELSE"
                       " 'pending' END WHERE status = 'cancelled'"); /* FAIL keeps the first */
    verify(f);
    assert_in_range(sql_int(f, "SELECT sum(pending) FROM stage_counts"), 1, 4);
    (void)sql_fails(f, "INSERT OR IGNORE INTO item_stages (item_id, stage_id, status, rank,"
                       " updated_at) SELECT item_id, stage_id, 'nonsense', 0, 0 FROM item_stages");
    sql(f, "INSERT OR IGNORE INTO item_stages (item_id, stage_id, status, rank, updated_at)"
           " SELECT item_id, stage_id, 'held', 0, 0 FROM item_stages"); /* all are there */
    assert_int_equal(sql_int(f, "SELECT sum(held) FROM stage_counts"), 0);
    verify(f);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_trigger_equals_table),
        T(test_unknown_words),
        T(test_raw_done),
        T(test_claim_stays),
        T(test_counts_follow_foreign_writers),
        T(test_counts_follow_foreign_inserts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
