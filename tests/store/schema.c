/* Opening, settings, migration, checkpoints, where a database may lie, the watch. */
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/store/place.h"
#include "common/store/watch.h"

static void test_settings(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    CLEANUP_FREE char *wal = xasprintf("%s-wal", f->path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    CLEANUP_FREE char *mode = sql_text(f, "PRAGMA journal_mode");
    assert_string_equal(mode, "wal");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND"
                                " type = 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict"),
        0);
    ok(f, store_migrate(f->store, &f->err)); /* cheap and without effect */
    ok(f, store_check_schema(f->store, &f->err));
    verify(f);
}

static void test_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    sql(f, "PRAGMA user_version = 99");
    assert_int_equal(store_migrate(f->store, &f->err), RC_INVALID);
    assert_non_null(strstr(f->err.text, "newer"));
    assert_int_equal(store_check_schema(f->store, &f->err), RC_INVALID);
}

static enum rc open_at(struct fixture *f, const char *path, bool is_read_only)
{
    struct store_options opts = {.path = path, .is_read_only = is_read_only};
    struct store *store = NULL;
    enum rc rc = store_open(&opts, &store, &f->err);
    if (rc == RC_OK)
        rc = store_check_schema(store, &f->err);
    store_close(store);
    return rc;
}

static void test_other_files(void **state)
{
    struct fixture *f = *state;
    CLEANUP_FREE char *missing = xasprintf("%s/missing.db", f->dir);
    assert_int_equal(open_at(f, missing, true), RC_NOTFOUND);
    assert_int_equal(access(missing, F_OK), -1);
    CLEANUP_FREE char *link = xasprintf("%s/link.db", f->dir);
    assert_int_equal(symlink(f->path, link), 0);
    assert_int_equal(open_at(f, link, false), RC_INVALID);
    assert_int_equal(open_at(f, f->dir, false), RC_INVALID);
    CLEANUP_FREE char *text = xasprintf("%s/text", f->dir);
    FILE *out = fopen(text, "w");
    assert_non_null(out);
    for (int i = 0; i < 500; i++)
        (void)fputs("this is no database\n", out);
    (void)fclose(out);
    assert_int_equal(open_at(f, text, false), RC_INVALID);
    assert_non_null(strstr(f->err.text, "not a database"));
    CLEANUP_FREE char *foreign = xasprintf("%s/foreign.db", f->dir);
    CLEANUP_FREE char *make =
        xasprintf("ATTACH '%s' AS o; CREATE TABLE o.t (a); DETACH o", foreign);
    sql(f, make);
    assert_int_equal(open_at(f, foreign, false), RC_INVALID);
    assert_non_null(strstr(f->err.text, "not stint's"));
    CLEANUP_FREE char *empty = xasprintf("%s/empty.db", f->dir);
    assert_int_equal(open_at(f, empty, false), RC_INVALID);
    assert_non_null(strstr(f->err.text, "is empty"));
    ok(f, open_at(f, f->path, true));
    CLEANUP_FREE char *nowhere = xasprintf("%s/no/dir.db", f->dir);
    assert_int_equal(open_at(f, nowhere, false), RC_SYS);
}

static void test_read_only_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_options opts = {.path = f->path, .is_read_only = true};
    struct store *store = NULL;
    ok(f, store_open(&opts, &store, &f->err));
    struct add_item item = {.key = "k"};
    struct add_options how = {.source = "x"};
    struct add_report r = {0};
    assert_int_not_equal(store_add(store, job(f, "j"), &item, 1, &how, &r, NULL, &f->err), RC_OK);
    struct rest rest = {0};
    ok(f, store_rest(store, 0, &rest, &f->err));
    store_close(store);
}

static void test_beside_a_pool(void **state)
{
    struct fixture *f = *state;
    struct store_options opts = {.path = f->path, .is_beside_pool = true};
    struct store *store = NULL;
    struct add_item item = {.key = "k"};
    struct add_options how = {.source = "x"};
    struct add_report r = {0};
    assert_true(place_has_log(f->path));
    ok(f, store_open(&opts, &store, &f->err));
    ok(f, store_add(store, job(f, "j"), &item, 1, &how, &r, NULL, &f->err));
    store_close(store);
    CLEANUP_FREE char *log = xasprintf("%s-wal", f->path);
    assert_int_equal(truncate(log, 32), 0); /* a header alone */
    assert_false(place_has_log(f->path));
    assert_int_equal(unlink(log), 0);
    assert_false(place_has_log(f->path));
}

static void test_network_file_systems(void **state)
{
    (void)state;
    assert_string_equal(place_network_fs(0x6969), "NFS");
    assert_string_equal(place_network_fs(0xff534d42), "CIFS");
    assert_string_equal(place_network_fs((unsigned long)(int)0xff534d42), "CIFS");
    assert_null(place_network_fs(0xef53)); /* ext4 */
}

struct hooks_seen {
    int waits, busy, locks, commits;
    bool is_held;
};

static void on_wait(void *ctx, bool is_waiting)
{
    ((struct hooks_seen *)ctx)->waits += is_waiting ? 1 : 100;
}

static void on_busy(void *ctx)
{
    ((struct hooks_seen *)ctx)->busy++;
}

static void on_lock(void *ctx, bool is_held)
{
    struct hooks_seen *seen = ctx;
    assert_int_not_equal(seen->is_held, is_held);
    seen->is_held = is_held;
    seen->locks++;
}

static void on_commit(void *ctx, uint32_t pages)
{
    struct hooks_seen *seen = ctx;
    assert_false(seen->is_held);
    assert_true(pages > 0);
    seen->commits++;
}

static void test_lock_held_by_another(void **state)
{
    struct fixture *f = *state;
    struct hooks_seen seen = {0};
    struct store_options opts = {.path = f->path,
        .busy_timeout_ms = 120,
        .hooks = {
            .ctx = &seen,
            .on_wait = on_wait,
            .on_busy = on_busy,
            .on_lock = on_lock,
            .on_commit = on_commit,
        }};
    struct store *store = NULL;
    struct add_item item = {.key = "k"};
    struct add_options how = {.source = "x"};
    struct add_report r = {0};
    ok(f, store_open(&opts, &store, &f->err));
    sql(f, "BEGIN IMMEDIATE");
    seen = (struct hooks_seen){0};
    assert_int_equal(store_add(store, job(f, "j"), &item, 1, &how, &r, NULL, &f->err), RC_BUSY);
    CLEANUP_FREE char *holder = xasprintf("(pid %d) holds its write lock", (int)getpid());
    assert_non_null(strstr(f->err.text, holder));
    assert_non_null(strstr(f->err.text, "then try again"));
    assert_int_equal(seen.waits, 101);
    assert_true(seen.busy >= 3); /* at least every 50 ms */
    assert_int_equal(seen.locks, 0);
    sql(f, "COMMIT");
    ok(f, store_add(store, job(f, "j"), &item, 1, &how, &r, NULL, &f->err));
    assert_int_equal(seen.locks, 2);
    assert_int_equal(seen.commits, 1);
    item.key = "";
    assert_int_not_equal(store_add(store, job(f, "j"), &item, 1, &how, &r, NULL, &f->err), RC_OK);
    assert_false(seen.is_held);
    assert_int_equal(seen.commits, 1);
    store_close(store);
}

static void test_checkpoint(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    assert_true(store_wal_pages(f->store) > 50);
    uint32_t left = 99;
    ok(f, store_checkpoint(f->store, &left, &f->err));
    assert_int_equal(left, 0);
    add(f, "one more"); /* begins the WAL anew */
    assert_true(store_wal_pages(f->store) < 50);
    sql(f, "BEGIN; SELECT count(*) FROM jobs"); /* a reader holds its pages */
    add(f, "two more");
    ok(f, store_checkpoint(f->store, &left, &f->err));
    assert_true(left > 0);
    sql(f, "COMMIT");
    ok(f, store_checkpoint(f->store, &left, &f->err));
    assert_int_equal(left, 0);
    verify(f);
}

static bool is_readable(const struct watch *watch, int timeout_ms)
{
    struct pollfd p = {.fd = watch->fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static void test_watch(void **state)
{
    struct fixture *f = *state;
    struct watch watch;
    ok(f, watch_open(f->path, &watch, &f->err));
    watch_drain(&watch);
    assert_false(is_readable(&watch, 0));
    sql(f, "INSERT INTO submit (job, item_key) VALUES ('j', 'k')");
    assert_true(is_readable(&watch, 5000));
    watch_drain(&watch);
    assert_false(is_readable(&watch, 0));
    struct rest rest = {0};
    ok(f, store_rest(f->store, 0, &rest, &f->err)); /* reading wakes nobody */
    assert_false(is_readable(&watch, 0));
    CLEANUP_FREE char *wal = xasprintf("%s/x.db-wal", f->dir);
    CLEANUP_FREE char *other = xasprintf("%s/x.db", f->dir);
    watch_close(&watch);
    ok(f, watch_open(other, &watch, &f->err)); /* its WAL is born later */
    FILE *out = fopen(wal, "w");
    assert_non_null(out);
    assert_true(is_readable(&watch, 5000));
    watch_drain(&watch);
    (void)fputs("commit", out);
    (void)fflush(out);
    assert_true(is_readable(&watch, 5000));
    (void)fclose(out);
    watch_close(&watch);
    watch_close(&watch);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_settings),
        T(test_newer_schema_is_refused),
        T(test_other_files),
        T(test_read_only_writes_nothing),
        T(test_beside_a_pool),
        T(test_network_file_systems),
        T(test_lock_held_by_another),
        T(test_checkpoint),
        T(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
