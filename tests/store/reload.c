/* A reload in the database: one commit for rows, event, discoveries and the word that fences older
 * workers; a repeat changes nothing, a failure changes nothing. */
#include "tests/store/fixture.h"

#include <stdlib.h>

#include "common/store/reload.h"

#define ONE_MORE TWO_STAGES "[job more]\nhandler = builtin noop\ndiscover = list x.csv\n"
#define ANOTHER "[job other]\nhandler = builtin noop\ndiscover = list x.csv\n"

static _Atomic uint64_t word;

static struct reload to(const struct config *config, uint64_t generation)
{
    return (struct reload){.config = config,
        .pool_row = 1,
        .generation = generation,
        .event = "{}",
        .spec_word = &word,
        .spec_generation = generation};
}

static uint64_t generation(struct fixture *f)
{
    uint64_t now = 0;
    ok(f, store_reload_generation(f->store, 1, &now, &f->err));
    return now;
}

static int64_t count_reloads(struct fixture *f)
{
    return sql_int(f, "SELECT count(*) FROM events WHERE event = 'reload'");
}

static void test_a_repeat_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct catalog *catalog = NULL;
    struct config *config = fixture_config(f, ONE_MORE);
    struct reload r = to(config, 2);
    start_pool(f);
    atomic_store(&word, 1);
    assert_int_equal(generation(f), 1);
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    assert_non_null(catalog_job(catalog, "more"));
    assert_int_equal(atomic_load(&word), 2);
    assert_int_equal(generation(f), 2);
    catalog_free(catalog);
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    assert_int_equal(count_reloads(f), 1);
    assert_int_equal(atomic_load(&word), 2);
    catalog_free(catalog);
    config_free(config);
    verify(f);
}

/* The commit itself fails, after all else went well. */
static void test_what_fails_leaves_all_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct catalog *catalog = NULL;
    struct config *config = fixture_config(f, ONE_MORE);
    struct reload r = to(config, 2);
    start_pool(f);
    atomic_store(&word, 1);
    sql(f, "CREATE TABLE doom (id INTEGER REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED);"
           "CREATE TRIGGER doomed AFTER INSERT ON events WHEN NEW.event = 'reload' BEGIN"
           " INSERT INTO doom VALUES (999); END");
    assert_int_equal(store_reload(f->store, &r, &catalog, &f->err), RC_STORE);
    assert_null(catalog);
    assert_int_equal(atomic_load(&word), 1);
    assert_int_equal(generation(f), 1);
    assert_int_equal(count_reloads(f), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM jobs WHERE name = 'more'"), 0);
    sql(f, "DROP TRIGGER doomed");
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    assert_int_equal(atomic_load(&word), 2);
    catalog_free(catalog);
    config_free(config);
    verify(f);
}

static void test_discoveries_of_new_jobs_only(void **state)
{
    struct fixture *f = *state;
    struct catalog *catalog = NULL;
    char name[] = "other";
    char *names[] = {name};
    struct config *config = fixture_config(f, ONE_MORE ANOTHER);
    struct reload r = to(config, 2);
    start_pool(f);
    r.discover = (struct name_list){names, 1};
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    CLEANUP_FREE char *opened = sql_text(f, "SELECT group_concat(item_key) FROM work_items");
    assert_string_equal(opened, "other");
    catalog_free(catalog);
    config_free(config);
}

/* Whoever has mended a handler and reloads expects it to work. */
static void test_stages_that_handlers_paused_start_afresh(void **state)
{
    struct fixture *f = *state;
    struct catalog *catalog = NULL;
    add(f, "k");
    start_pool(f);
    struct run run = claim(f);
    (void)end(f, &run, END_STAGE_PAUSE);
    run_fini(&run);
    struct reload r = to(f->config, 2);
    int64_t woken = 0, next = 0;
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    ok(f, store_wake_due(f->store, 10, &woken, &next, &f->err));
    assert_int_equal(woken, 0); /* limits only: the pause goes on */
    catalog_free(catalog);
    r.generation = 3;
    r.has_spec = true;
    ok(f, store_reload(f->store, &r, &catalog, &f->err));
    ok(f, store_wake_due(f->store, 10, &woken, &next, &f->err));
    assert_int_equal(woken, 1);
    run = claim(f);
    assert_int_not_equal(run.id, 0);
    run_fini(&run);
    catalog_free(catalog);
    verify(f);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_repeat_changes_nothing),
        T(test_what_fails_leaves_all_as_it_was),
        T(test_discoveries_of_new_jobs_only),
        T(test_stages_that_handlers_paused_start_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
