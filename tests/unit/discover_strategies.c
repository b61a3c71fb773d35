/* What the strategies list, and in which bites it is added. The store and the control socket are
 * stood in for by functions that take notes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/ipc/control.h"
#include "worker/discover/exec.h"
#include "worker/discover/glob.h"
#include "worker/discover/list.h"
#include "worker/discover/strategy.h"

static struct {
    struct buf items; /* KEY or KEY=DATA, each ended by '|' */
    size_t bites, wakes;
} notes;

enum rc store_add(struct store *store, const struct catalog_job *job, const struct add_item *items,
    size_t len, const struct add_options *opts, struct add_report *report, size_t *ret_bad,
    struct err *err)
{
    (void)store, (void)job, (void)opts;
    for (size_t i = 0; i < len; i++) {
        if (strcmp(items[i].key, "too-big") != 0)
            continue;
        *ret_bad = i;
        return err_set(err, RC_INVALID, "data is too big");
    }
    for (size_t i = 0; i < len; i++)
        buf_addf(&notes.items, "%s%s%s|", items[i].key, items[i].data ? "=" : "",
            items[i].data ? items[i].data : "");
    notes.bites++;
    report->new_items += (int64_t)len;
    report->claimable += (int64_t)len;
    return RC_OK;
}

enum rc control_ask(
    const char *path, const char *request, int64_t timeout_ms, struct buf *payload, struct err *err)
{
    (void)path, (void)timeout_ms, (void)payload, (void)err;
    assert_memory_equal(request, "wake ", 5);
    notes.wakes++;
    return RC_NOTFOUND;
}

static char directory[] = "/tmp/test-discover-XXXXXX";
static struct discover_option options[2];
static struct config config = {.directory = directory};
static struct job_spec job = {.name = (char *)(uintptr_t) "j", .discover_options = options};

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    buf_fini(&notes.items);
    return rmdir(directory);
}

static char *in_directory(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static void write_file(const char *name, const char *text)
{
    char *path = in_directory(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static void remove_file(const char *name)
{
    char *path = in_directory(name);
    (void)unlink(path);
    free(path);
}

static void set_option(const char *key, const char *value)
{
    options[job.discover_options_len++] =
        (struct discover_option){(char *)(uintptr_t)key, (char *)(uintptr_t)value};
}

struct outcome_noted {
    enum rc rc;
    int64_t found, refused;
    struct err err;
};

static struct outcome_noted run(list_fn list, const char *arg, int64_t limit)
{
    struct outcome_noted got = {.err = {""}};
    struct collect_opts opts = {
        .store = (struct store *)(uintptr_t)1, .limit = limit, .socket = "/nowhere"};
    struct collect *collect = collect_new(&opts);
    struct listing listing = {.config = &config, .job = &job, .collect = collect};
    buf_reset(&notes.items);
    notes.bites = notes.wakes = 0;
    job.discover_arg = (char *)(uintptr_t)arg;
    got.rc = list(&listing, &got.err);
    assert_int_equal(collect_flush(collect, &got.err), RC_OK);
    got.found = collect_totals(collect)->found;
    got.refused = collect_totals(collect)->refused;
    collect_free(collect);
    job.discover_options_len = 0;
    return got;
}

static void test_list_formats(void **state)
{
    static const struct {
        const char *name, *format, *key, *text, *items;
        int refused;
    } rows[] = {
        {"l.txt", NULL, NULL, "a\n\nb c\r\nd", "a|b c|d|", 0},
        {"l.txt", NULL, NULL, "", "", 0},
        {"l.csv", NULL, "url", "url,n\nu1,1\nu2,\n", "u1={\"n\":\"1\"}|u2={\"n\":\"\"}|", 0},
        {"l.csv", NULL, NULL, "n,key\n1,a\n", "a={\"n\":\"1\"}|", 0},
        {"l.csv", NULL, "n", "u,n\na,1\nb,2\n", "1={\"u\":\"a\"}|2={\"u\":\"b\"}|", 0},
        {"l.csv", NULL, NULL, "key,t\na,\"x\ny\"\nb\n", "a={\"t\":\"x\\ny\"}|", 1},
        {"l.csv", NULL, NULL, "\xEF\xBB\xBFkey\na\n", "a|", 0},
        {"l.csv", NULL, NULL, "key\n\"open\n", "", 1},
        {"l.TSV", NULL, NULL, "key\tt\na\t\"q\"\n", "a={\"t\":\"\\\"q\\\"\"}|", 0},
        {"l.txt", "csv", NULL, "key,t\na,b\n", "a={\"t\":\"b\"}|", 0},
        {"l.jsonl", NULL, NULL, "{\"key\":\"a\",\"n\":1}\n\nnope\n\"b\"\n", "a={\"n\":1}|b|", 1},
        {"l.ndjson", NULL, "id", "{\"id\":1}\n", "1|", 0},
        {"l.txt", NULL, NULL, "bad\x01key\n\xff\ntoo-big\ngood\n", "good|", 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_file(rows[i].name, rows[i].text);
        if (rows[i].format)
            set_option("format", rows[i].format);
        if (rows[i].key)
            set_option("key", rows[i].key);
        struct outcome_noted got = run(list_strategy, rows[i].name, 0);
        assert_int_equal(got.rc, RC_OK);
        assert_string_equal(buf_str(&notes.items), rows[i].items);
        assert_int_equal(got.refused, rows[i].refused);
        remove_file(rows[i].name);
    }
}

static void test_list_errors(void **state)
{
    (void)state;
    struct outcome_noted got = run(list_strategy, "missing.csv", 0);
    assert_int_equal(got.rc, RC_INVALID);
    assert_non_null(strstr(got.err.text, "missing.csv"));
    write_file("l.csv", "url,n\nu,1\n");
    set_option("key", "ulr");
    got = run(list_strategy, "l.csv", 0);
    assert_int_equal(got.rc, RC_INVALID);
    assert_non_null(strstr(got.err.text, "l.csv:1:"));
    assert_non_null(strstr(got.err.text, "discover.key = url?"));
    set_option("format", "xml");
    got = run(list_strategy, "l.csv", 0);
    assert_int_equal(got.rc, RC_INVALID);
    remove_file("l.csv");
}

/* 2,500 lines, the last 500 of them repeats of lines shortly before. */
static void test_bites(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    for (int i = 0; i < 2500; i++)
        buf_addf(&text, "k%d\n", i < 2000 ? i : 2000 + i % 10);
    write_file("l.txt", buf_str(&text));
    struct outcome_noted got = run(list_strategy, "l.txt", 0);
    assert_int_equal(got.found, 2010);
    assert_int_equal(notes.bites, 3);
    assert_int_equal(notes.wakes, 3);
    got = run(list_strategy, "l.txt", 1001);
    assert_int_equal(got.rc, RC_OK);
    assert_int_equal(got.found, 1001);
    got = run(list_strategy, "l.txt", 1000);
    assert_int_equal(got.found, 1000);
    assert_int_equal(notes.bites, 1);
    buf_fini(&text);
    remove_file("l.txt");
}

static void test_repeat_keeps_newest_data(void **state)
{
    (void)state;
    write_file("l.jsonl", "{\"key\":\"a\",\"n\":1}\n{\"key\":\"a\",\"n\":2}\n\"a\"\n");
    struct outcome_noted got = run(list_strategy, "l.jsonl", 0);
    assert_int_equal(got.found, 1);
    assert_string_equal(buf_str(&notes.items), "a={\"n\":2}|");
    remove_file("l.jsonl");
}

static void test_glob(void **state)
{
    (void)state;
    char *link = in_directory("b.x");
    write_file("a.x", "");
    write_file("c.y", "");
    assert_int_equal(symlink("nowhere", link), 0);
    struct outcome_noted got = run(glob_strategy, "*.x", 0);
    assert_int_equal(got.rc, RC_OK);
    assert_string_equal(buf_str(&notes.items), "a.x={\"path\":\"a.x\"}|b.x={\"path\":\"b.x\"}|");
    char *pattern = in_directory("?.{x,y}");
    got = run(glob_strategy, pattern, 0);
    assert_int_equal(got.found, 3);
    got = run(glob_strategy, "*.nothing", 0);
    assert_int_equal(got.rc, RC_OK);
    assert_int_equal(got.found, 0);
    free(pattern);
    free(link);
    remove_file("a.x");
    remove_file("b.x");
    remove_file("c.y");
}

static void test_exec(void **state)
{
    (void)state;
    struct outcome_noted got = run(exec_strategy,
        "sh -c 'echo \"{\\\"key\\\":\\\"a\\\",\\\"n\\\":1}\"; pwd >&2; printf \"%s\" 7'", 0);
    assert_int_equal(got.rc, RC_OK);
    assert_string_equal(buf_str(&notes.items), "a={\"n\":1}|7|");

    got = run(exec_strategy, "sh -c 'echo 1; pwd >&2; exit 3'", 0);
    assert_int_equal(got.rc, RC_SYS);
    assert_int_equal(got.found, 1);
    assert_non_null(strstr(got.err.text, "exit status 3"));
    assert_non_null(strstr(got.err.text, directory));

    got = run(exec_strategy, "sh -c 'exit 65'", 0);
    assert_int_equal(got.rc, RC_INVALID);
    got = run(exec_strategy, "/does/not/exist", 0);
    assert_int_equal(got.rc, RC_INVALID);
    got = run(exec_strategy, "sh -c 'unclosed", 0);
    assert_int_equal(got.rc, RC_INVALID);
}

/* An endless lister is ended by the limit, and one that left a child behind does not wait for it.
 */
static void test_exec_ends(void **state)
{
    (void)state;
    struct outcome_noted got =
        run(exec_strategy, "sh -c 'i=0; while :; do echo $i; i=$((i+1)); done'", 3000);
    assert_int_equal(got.rc, RC_OK);
    assert_int_equal(got.found, 3000);
    got = run(exec_strategy, "sh -c 'tail -f /dev/null & echo 1'", 0);
    assert_int_equal(got.rc, RC_OK);
    assert_int_equal(got.found, 1);
}

static void test_options(void **state)
{
    (void)state;
    struct err err = {""};
    job.discover = DISCOVER_LIST;
    set_option("fromat", "csv");
    assert_int_equal(strategy_check(strategy_of(DISCOVER_LIST), &job, &err), RC_INVALID);
    assert_non_null(strstr(err.text, "did you mean discover.format?"));
    job.discover_options_len = 0;
    set_option("key", "id");
    assert_int_equal(strategy_check(strategy_of(DISCOVER_LIST), &job, &err), RC_OK);
    assert_int_equal(strategy_check(strategy_of(DISCOVER_GLOB), &job, &err), RC_INVALID);
    job.discover_options_len = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_formats),
        cmocka_unit_test(test_list_errors),
        cmocka_unit_test(test_bites),
        cmocka_unit_test(test_repeat_keeps_newest_data),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_exec_ends),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
