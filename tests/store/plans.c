/* The plan of every statement: no table that grows is scanned, and what is hot names its index.
 * Exceptions stand here with their reason. */
#include "tests/store/fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "statements.h"

/* Statement and the beginning of what it may scan. */
static const struct {
    const char *statement, *scan, *reason;
} allowed[] = {
    {"verify_", "", "offline: reads everything, by a person's wish"},
    {"", "CONSTANT ROW", "no table"},
    {"job_list", "jobs", "a row a job"},
    {"look_counts", "g USING INDEX", "a row a stage"},
    {"rest_counts", "g", "a row a stage"},
    {"level_list", "resource_levels", "a row a resource"},
    {"level_forget", "resource_levels", "a row a resource"},
    {"lanes_paused", "j USING INDEX job_state_paused", "paused jobs only"},
    {"pause_claims", "s USING INDEX item_stages_claimed", "claims held now: a row a worker"},
    {"look_health", "sqlite_sequence", "a row a table"},
    {"look_health", "events", "the last row only"},
    {"pool_retire_all", "pools USING INDEX pools_living", "living pools only"},
    {"inbox_next", "inbox USING INDEX inbox_waiting", "partial index, LIMIT 1"},
    {"inbox_waiting", "inbox USING INDEX inbox_waiting", "partial index, with a LIMIT"},
    {"inbox_waiting", "(subquery", "with a LIMIT"},
};

static const struct {
    const char *statement, *index;
} hot[] = {
    {"claim_pick", "item_stages USING INDEX item_stages_claimable"},
    {"lane_head", "item_stages USING INDEX item_stages_claimable"},
    {"claim_find", "item_stages USING INDEX item_stages_claimed"},
    {"claim_take", "item_stages USING INTEGER PRIMARY KEY"},
    {"claim_read", "s USING INTEGER PRIMARY KEY"},
    {"claim_is_mine", "item_stages USING INTEGER PRIMARY KEY"},
    {"claim_inputs", "r USING PRIMARY KEY"},
    {"run_end", "item_stages USING INTEGER PRIMARY KEY"},
    {"followers_unblock", "item_stages USING INDEX sqlite_autoindex_item_stages_1"},
    {"followers_unblock", "o USING PRIMARY KEY (stage_id=? AND after_stage_id=?)"},
    {"settle_next", "item_stages USING INDEX item_stages_claimed"},
    {"due_exists", "INDEX item_stages_due"},
    {"due_wake", "INDEX item_stages_due"},
    {"due_next", "INDEX item_stages_due"},
    {"event_of_claim", "events USING INDEX events_event"},
    {"look_claim", "s USING INDEX item_stages_claimed"},
    {"look_results", "r USING PRIMARY KEY"},
    {"look_events", "e USING INTEGER PRIMARY KEY"},
    {"item_get", "work_items USING INDEX sqlite_autoindex_work_items_1"},
    {"item_runs", "s USING INDEX sqlite_autoindex_item_stages_1"},
    {"select_failed", "item_stages USING INDEX item_stages_failed (stage_id=? AND id>?)"},
    {"select_exhausted", "item_stages USING INDEX item_stages_exhausted (stage_id=? AND id>?)"},
    {"select_held", "item_stages USING INDEX item_stages_held (stage_id=? AND id>?)"},
    {"select_cancelled", "item_stages USING INDEX item_stages_cancelled (stage_id=? AND id>?)"},
    {"select_pending", "item_stages USING INDEX item_stages_claimable"},
    {"select_retry_later", "item_stages USING INDEX item_stages_due"},
    {"select_in_progress", "item_stages USING INDEX item_stages_claimed (claim>?)"},
    {"select_scan", "item_stages USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"},
    {"select_key", "work_items USING COVERING INDEX sqlite_autoindex_work_items_1"},
    {"select_item", "s USING COVERING INDEX sqlite_autoindex_item_stages_1"},
    {"select_run", "s USING INTEGER PRIMARY KEY"},
    {"look_item", "w USING INDEX sqlite_autoindex_work_items_1"},
    {"look_item_events", "e USING INDEX events_item (item_id=? AND rowid>?)"},
    {"look_item_results", "r USING PRIMARY KEY"},
    {"look_death", "events USING INDEX events_event"},
    {"act_ready", "p USING INDEX sqlite_autoindex_item_stages_1"},
    {"act_cancel", "item_stages USING INTEGER PRIMARY KEY"},
    {"item_queued", "work_items USING INTEGER PRIMARY KEY"},
};

static bool is_allowed(const char *name, const char *scan)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (strncmp(name, allowed[i].statement, strlen(allowed[i].statement)) == 0 &&
            strncmp(scan, allowed[i].scan, strlen(allowed[i].scan)) == 0)
            return true;
    }
    return false;
}

static void check_line(const char *name, const char *line)
{
    if (strncmp(line, "SCAN ", 5) == 0 && !is_allowed(name, line + 5))
        fail_msg("%s: %s", name, line);
    bool is_table = strncmp(line, "SEARCH ", 7) == 0 && line[7] != '(';
    if (strcmp(name, "look_events_tail_kind") == 0 && strcmp(line, "SEARCH events") == 0)
        return; /* the newest id: the last row of the table */
    if (is_table && !strstr(line, " USING "))
        fail_msg("%s: %s: no index", name, line);
    if (strstr(line, "AUTOMATIC") && strncmp(name, "verify_", 7) != 0)
        fail_msg("%s: %s", name, line);
}

/* The whole plan, a line each; checked on the way. */
static void read_plan(sqlite3 *db, const struct statement *s, struct buf *plan)
{
    CLEANUP_FREE char *text = xasprintf("EXPLAIN QUERY PLAN %s", s->text);
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", s->name, sqlite3_errmsg(db));
    while (sqlite3_step(q) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(q, 3);
        check_line(s->name, line);
        buf_addf(plan, "%s\n", line);
    }
    (void)sqlite3_finalize(q);
}

static void check_columns(sqlite3 *db, const struct statement *s)
{
    sqlite3_stmt *q = NULL;
    if (sqlite3_prepare_v2(db, s->text, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", s->name, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_bind_parameter_count(q), s->params_len);
    if ((size_t)sqlite3_column_count(q) != s->columns_len)
        fail_msg(
            "%s: %d columns, the head names %zu", s->name, sqlite3_column_count(q), s->columns_len);
    bool is_pragma = strncmp(s->text, "PRAGMA", 6) == 0;
    for (size_t i = 0; i < s->columns_len && !is_pragma; i++)
        assert_string_equal(sqlite3_column_name(q, (int)i), s->columns[i]);
    assert_int_equal(
        sqlite3_stmt_readonly(q) != 0 || is_pragma, s->access == ACCESS_READS || is_pragma);
    (void)sqlite3_finalize(q);
}

static bool is_about_tables(const struct statement *s)
{
    return strncmp(s->name, "sqlite_", 7) != 0 && s->access != ACCESS_DDL;
}

static void test_plans(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    size_t seen = 0;
    for (int i = 0; i < QUERY_COUNT; i++) {
        const struct statement *s = &statements_sqlite[i];
        assert_non_null(s->name);
        if (!is_about_tables(s))
            continue;
        CLEANUP(buf_fini) struct buf plan = BUF_INIT;
        check_columns(db, s);
        read_plan(db, s, &plan);
        for (size_t k = 0; k < sizeof hot / sizeof hot[0]; k++) {
            if (strcmp(hot[k].statement, s->name) != 0)
                continue;
            seen++;
            if (!strstr(buf_str(&plan), hot[k].index))
                fail_msg("%s: not by %s:\n%s", s->name, hot[k].index, buf_str(&plan));
        }
    }
    assert_int_equal(seen, sizeof hot / sizeof hot[0]);
    (void)sqlite3_close(db);
}

/* The check itself must be able to fail. */
static void test_a_scan_is_found(void **state)
{
    (void)state;
    assert_false(is_allowed("claim_pick", "item_stages"));
    assert_false(is_allowed("rest_counts", "item_stages"));
    assert_false(is_allowed("inbox_next", "inbox"));
    assert_true(is_allowed("verify_rows", "g"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plans, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_a_scan_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
