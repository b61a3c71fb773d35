/* Several processes at once: nobody gets another's run, and a new file is opened and migrated by
 * many without harm. The test starts itself again as `race claim PATH LIFE` and `race open PATH`.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/spawn.h"
#include "common/config/parse.h"
#include "common/ipc/claim.h"

#define ITEMS 2000
#define PROCESSES 4
#define ONE_STAGE "[job j]\nhandler = builtin noop\n"

static void start(pid_t *ret, const char *mode, const char *path, int64_t life)
{
    char number[32], self[] = "/proc/self/exe", name[] = "race", how[16];
    CLEANUP_FREE char *file = xstrdup(path);
    (void)snprintf(number, sizeof number, "%lld", (long long)life);
    (void)snprintf(how, sizeof how, "%s", mode);
    char *argv[] = {name, how, file, number, NULL};
    struct spawn_fd fds[] = {{1, 1}, {2, 2}};
    struct spawn_opts opts = {.path = self, .argv = argv, .fds = fds, .fds_len = 2, .umask = -1};
    struct err err = {""};
    if (spawn(&opts, ret, NULL, &err))
        fail_msg("%s", err.text);
}

static void await(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_nobody_gets_the_same_run(void **state)
{
    struct fixture *f = *state;
    static const struct add_options opts = {.source = "manual"};
    fixture_configure(f, ONE_STAGE);
    struct add_item *items = xcalloc(ITEMS, sizeof *items);
    char(*keys)[16] = xcalloc(ITEMS, sizeof *keys);
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
        items[i].key = keys[i];
    }
    struct add_report report = {0};
    ok(f, store_add(f->store, job(f, "j"), items, ITEMS, &opts, &report, NULL, &f->err));
    free(items);
    free(keys);
    start_pool(f);
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        start(&pids[i], "claim", f->path, f->life + i);
    for (int i = 0; i < PROCESSES; i++)
        await(pids[i]);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'done'"
                                " AND attempts = 1"),
        ITEMS);
    assert_int_equal(sql_int(f, "SELECT count(DISTINCT claim) FROM results"), ITEMS);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM events WHERE event = 'claim.lost'"), 0);
    assert_int_equal(sql_int(f, "SELECT sum(data) FROM results"), ITEMS);
    verify(f);
}

static void test_many_open_a_new_file(void **state)
{
    struct fixture *f = *state;
    CLEANUP_FREE char *path = xasprintf("%s/new.db", f->dir);
    pid_t pids[8];
    for (int i = 0; i < 8; i++)
        start(&pids[i], "open", path, 0);
    for (int i = 0; i < 8; i++)
        await(pids[i]);
}

/* ---- the other processes ---- */

static int complain(enum rc rc, const struct err *err)
{
    (void)fprintf(stderr, "rc %d: %s\n", (int)rc, err->text);
    return 1;
}

static enum rc open_all(const char *path, struct store **store, struct config **config,
    struct catalog **catalog, struct err *err)
{
    char dir[] = "/", name[] = "stint.conf", text[] = ONE_STAGE;
    struct config_source source = {.name = name, .text = text};
    struct config_sources sources = {.directory = dir, .list = &source, .len = 1};
    struct store_options opts = {.path = path, .durability = DURABILITY_NORMAL};
    enum rc rc = config_parse(&sources, config, NULL);
    if (rc == RC_OK)
        rc = store_open(&opts, store, err);
    if (rc == RC_OK)
        rc = store_migrate(*store, err);
    if (rc == RC_OK)
        rc = catalog_sync(*store, *config, catalog, err);
    return rc;
}

/* Each run's result is 1; a run that somebody else ended would be lost. */
static enum rc claim_all(
    struct store *store, const struct catalog *catalog, int64_t life, struct err *err)
{
    const struct catalog_stage *stage = &catalog->jobs[0].stages[0];
    struct run run = {0};
    for (uint32_t seq = 1;; seq++) {
        struct outcome o = {
            .run = &run, .stage = stage, .cause = END_DONE, .result = "1", .after_ms = -1};
        struct wish wish = {.stage_ids = &stage->id,
            .stages_len = 1,
            .claims_len = 1,
            .claim = claim_make(life, seq)};
        struct traded answer = {0};
        enum rc rc = trade(store, run.id ? &o : NULL, &wish, &answer, err);
        if (rc == RC_OK && answer.is_outcome_lost)
            rc = err_set(err, RC_GONE, "a claim was lost");
        run_fini(&run);
        run = answer.run;
        if (rc || !run.id)
            return rc;
    }
}

static int other_process(const char *mode, const char *path, int64_t life)
{
    struct store *store = NULL;
    struct config *config = NULL;
    struct catalog *catalog = NULL;
    struct err err = {""};
    enum rc rc = open_all(path, &store, &config, &catalog, &err);
    if (rc == RC_OK && strcmp(mode, "claim") == 0)
        rc = claim_all(store, catalog, life, &err);
    catalog_free(catalog);
    config_free(config);
    store_close(store);
    return rc ? complain(rc, &err) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return other_process(argv[1], argv[2], strtoll(argv[3], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_nobody_gets_the_same_run, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_open_a_new_file, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
