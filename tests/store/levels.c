/* The tokens that a clean stop leaves: replaced whole, taken once. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/store/levels.h"

static struct resource_levels levels_of(int n, int64_t tokens)
{
    struct resource_levels levels = {.len = (size_t)n};
    for (int i = 0; i < n; i++) {
        (void)snprintf(levels.rows[i].name, sizeof levels.rows[i].name, "r%02d", i);
        levels.rows[i].tokens_millionths = tokens + i;
        levels.rows[i].saved_wall_ms = 1000;
    }
    return levels;
}

static void test_taken_once(void **state)
{
    struct fixture *f = *state;
    struct resource_levels saved = levels_of(RESOURCES_MAX, 5000000), got;
    ok(f, store_levels_save(f->store, &saved, &f->err));
    ok(f, store_levels_take(f->store, &got, &f->err));
    assert_int_equal(got.len, RESOURCES_MAX);
    assert_memory_equal(&got.rows, &saved.rows, sizeof got.rows);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM resource_levels"), 0);
    ok(f, store_levels_take(f->store, &got, &f->err));
    assert_int_equal(got.len, 0);
}

static void test_saving_replaces(void **state)
{
    struct fixture *f = *state;
    struct resource_levels first = levels_of(3, 1000), second = levels_of(2, 7), got;
    ok(f, store_levels_save(f->store, &first, &f->err));
    ok(f, store_levels_save(f->store, &second, &f->err));
    ok(f, store_levels_take(f->store, &got, &f->err));
    assert_int_equal(got.len, 2);
    assert_int_equal(got.rows[1].tokens_millionths, 8);
}

static void test_nothing_saved_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct resource_levels got;
    int64_t before = sql_int(f, "PRAGMA data_version");
    ok(f, store_levels_take(f->store, &got, &f->err));
    assert_int_equal(got.len, 0);
    assert_int_equal(sql_int(f, "PRAGMA data_version"), before);
}

/* A foreign hand's rows neither overflow nor cut a name out of its place. */
static void test_foreign_rows(void **state)
{
    struct fixture *f = *state;
    struct resource_levels got;
    sql(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
           " INSERT INTO resource_levels SELECT printf('%.100c%d', 'x', i), -5, 9 FROM n");
    ok(f, store_levels_take(f->store, &got, &f->err));
    assert_int_equal(got.len, RESOURCES_MAX);
    assert_int_equal(strlen(got.rows[3].name), sizeof got.rows[3].name - 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM resource_levels"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_taken_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_saving_replaces, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            test_nothing_saved_writes_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_foreign_rows, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
