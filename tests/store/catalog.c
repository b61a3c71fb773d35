/* The rows of jobs and stages follow the configuration, and so do the items that are there. */
#include "tests/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define STAGE(name) "[stage j." name "]\nhandler = builtin noop\n"
#define ABC "[job j]\nstages = a b c\n" STAGE("a") STAGE("b") STAGE("c")
#define AC "[job j]\nstages = a c\n" STAGE("a") STAGE("c")
#define CBA "[job j]\nstages = c b a\n" STAGE("a") STAGE("b") STAGE("c")

static void assert_rows(struct fixture *f, const char *expected)
{
    CLEANUP_FREE char *rows = sql_text(f, "SELECT group_concat(stage || ' ' || status, ', ') FROM"
                                          " (SELECT v.stage, v.status FROM v_stages v JOIN stages g"
                                          " ON g.name = v.stage ORDER BY g.name)");
    assert_string_equal(rows, expected);
    verify(f);
}

static void test_same_configuration_writes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t before = sql_int(f, "PRAGMA data_version");
    fixture_configure(f, TWO_STAGES);
    assert_int_equal(sql_int(f, "PRAGMA data_version"), before);
    fixture_configure(f, ABC);
    assert_int_not_equal(sql_int(f, "PRAGMA data_version"), before);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM stage_edges"), 2);
    assert_non_null(catalog_job(f->catalog, "@discover"));
    assert_null(catalog_stage(f->catalog, 999));
}

static void test_stage_added_and_removed(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    work_one(f);
    assert_rows(f, "a done, b pending");
    fixture_configure(f, ABC);
    assert_rows(f, "a done, b pending, c blocked");
    fixture_configure(f, AC);
    assert_rows(f, "a done, b skipped, c pending");
    CLEANUP_FREE char *why = sql_text(f, "SELECT error FROM v_stages WHERE stage = 'b'");
    assert_string_equal(why, "the stage is not in the configuration");
    add(f, "l");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM v_stages WHERE item_key = 'l'"), 2);
    fixture_configure(f, ABC);
    sql(f, "PRAGMA foreign_keys = OFF; DELETE FROM item_stages WHERE item_id = 2;"
           " DELETE FROM work_items WHERE id = 2");
    assert_rows(f, "a done, b pending, c blocked");
}

static void test_removed_while_it_runs(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    start_pool(f);
    work_one(f);
    struct run run = claim(f);
    struct outcome o = outcome_of(f, &run, END_DONE);
    struct config *config = fixture_config(f, "[job j]\nstages = a\n" STAGE("a"));
    struct catalog *fewer = NULL;
    ok(f, catalog_sync(f->store, config, &fewer, &f->err));
    struct traded answer = {0};
    ok(f, trade(f->store, &o, NULL, &answer, &f->err));
    assert_true(answer.is_outcome_lost);
    assert_rows(f, "a done, b skipped");
    run_fini(&run);
    catalog_free(fewer);
    config_free(config);
}

static void test_new_order(void **state)
{
    struct fixture *f = *state;
    fixture_configure(f, ABC);
    add(f, "k");
    fixture_configure(f, CBA);
    assert_rows(f, "a blocked, b blocked, c pending");
}

static void test_job_removed_and_back(void **state)
{
    struct fixture *f = *state;
    add(f, "k");
    fixture_configure(f, "[job other]\nhandler = builtin noop\n");
    assert_int_equal(sql_int(f, "SELECT enabled FROM jobs WHERE name = 'j'"), 0);
    (void)sql_fails(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'x')");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM v_items WHERE job = 'j'"), 1);
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 0);
    fixture_configure(f, TWO_STAGES);
    ok(f, store_rest(f->store, 0, &rest, &f->err));
    assert_int_equal(rest.moving, 1);
    assert_rows(f, "a pending, b blocked");
}

static void test_load_needs_rows(void **state)
{
    struct fixture *f = *state;
    struct config *config = fixture_config(f, ABC);
    struct catalog *catalog = NULL;
    assert_int_equal(catalog_load(f->store, config, &catalog, &f->err), RC_NOTFOUND);
    assert_non_null(strstr(f->err.text, "j.c"));
    ok(f, catalog_sync(f->store, config, &catalog, &f->err));
    catalog_free(catalog);
    ok(f, catalog_load(f->store, config, &catalog, &f->err));
    catalog_free(catalog);
    config_free(config);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_same_configuration_writes_nothing),
        T(test_stage_added_and_removed),
        T(test_removed_while_it_runs),
        T(test_new_order),
        T(test_job_removed_and_back),
        T(test_load_needs_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
