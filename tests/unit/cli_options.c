/* The argument parser: options before and after the command, values, nearest words, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

static const char *const words[] = {"auto", "always", "never", NULL};
static const struct flag globals[] = {
    {.name = "config", .letter = 'c', .type = FLAG_TEXT, .value = "CONF"},
    {.name = "json", .type = FLAG_BOOL},
    {.name = "quiet", .letter = 'q', .type = FLAG_BOOL},
    {.name = "color", .type = FLAG_WORD, .value = "WHEN", .words = words},
    {.name = NULL},
};
static const struct flag own[] = {
    {.name = "limit", .type = FLAG_INT, .value = "N", .min = 1, .max = 10},
    {.name = "timeout", .type = FLAG_DURATION, .value = "D"},
    {.name = "dry-run", .letter = 'n', .type = FLAG_BOOL},
    {.name = "data", .type = FLAG_TEXT, .value = "JSON"},
    {.name = NULL},
};
static const struct flag *const sets[] = {globals, own};

struct parsed {
    struct args args;
    struct err err;
    enum rc rc;
};

/* argv as a shell would split the line at spaces; '' stands for an empty argument. */
static struct parsed parse(const char *line)
{
    static char text[256];
    static char *argv[32];
    int argc = 0;
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    argv[argc] = NULL;
    struct parsed p = {.err = {""}};
    p.rc = args_parse(argc, argv, sets, 2, &p.args, &p.err);
    return p;
}

static void test_options_stand_anywhere(void **state)
{
    (void)state;
    struct parsed p = parse("stint -q --limit 3 a --json b -cx.conf");
    assert_int_equal(p.rc, RC_OK);
    assert_int_equal(p.args.words_len, 2);
    assert_string_equal(p.args.words[0], "a");
    assert_string_equal(p.args.words[1], "b");
    assert_true(args_has(&p.args, "quiet"));
    assert_true(args_has(&p.args, "json"));
    assert_false(args_has(&p.args, "dry-run"));
    assert_int_equal(args_number(&p.args, "limit", 9), 3);
    assert_int_equal(args_number(&p.args, "timeout", 9), 9);
    assert_string_equal(args_text(&p.args, "config"), "x.conf");
    args_fini(&p.args);
}

static void test_forms_of_values(void **state)
{
    (void)state;
    struct parsed p = parse("stint --timeout=1500ms --data=a=b -nq -c one -c two --color never");
    assert_int_equal(p.rc, RC_OK);
    assert_int_equal(args_number(&p.args, "timeout", 0), 1500);
    assert_string_equal(args_text(&p.args, "data"), "a=b");
    assert_true(args_has(&p.args, "dry-run"));
    assert_true(args_has(&p.args, "quiet"));
    assert_string_equal(args_text(&p.args, "config"), "two");
    assert_int_equal(args_number(&p.args, "color", 0), 2);
    args_fini(&p.args);
}

static void test_a_value_may_begin_with_a_dash(void **state)
{
    (void)state;
    struct parsed p = parse("stint --data - - --data -5");
    assert_int_equal(p.rc, RC_OK);
    assert_string_equal(args_text(&p.args, "data"), "-5");
    assert_int_equal(p.args.words_len, 1);
    assert_string_equal(p.args.words[0], "-");
    args_fini(&p.args);
}

static void test_two_dashes_end_options(void **state)
{
    (void)state;
    struct parsed p = parse("stint -- --json -q ''");
    assert_int_equal(p.rc, RC_OK);
    assert_int_equal(p.args.words_len, 3);
    assert_string_equal(p.args.words[0], "--json");
    assert_string_equal(p.args.words[2], "");
    assert_false(args_has(&p.args, "json"));
    args_fini(&p.args);
}

static bool is_marked(const char *arg)
{
    return strchr(arg, ':') != NULL;
}

static void test_words_that_begin_with_a_dash(void **state)
{
    (void)state;
    static char words_of[][8] = {"stint", "-c:x", "-q"}, bad[] = "-zz";
    char *argv[] = {words_of[0], words_of[1], words_of[2], NULL};
    struct args args = ARGS_INIT;
    struct err err = {""};
    args.is_word = is_marked;
    assert_int_equal(args_parse(3, argv, sets, 2, &args, &err), RC_OK);
    assert_int_equal(args.words_len, 1);
    assert_string_equal(args.words[0], "-c:x");
    assert_true(args_has(&args, "quiet"));
    args_fini(&args);
    argv[2] = bad;
    assert_int_equal(args_parse(3, argv, sets, 2, &args, &err), RC_INVALID);
    assert_non_null(strstr(err.text, "unknown option -z"));
    assert_non_null(strstr(err.text, "-- '-zz'"));
    args_fini(&args);
}

static void expect_error(const char *line, const char *part)
{
    struct parsed p = parse(line);
    assert_int_equal(p.rc, RC_INVALID);
    if (!strstr(p.err.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, p.err.text);
    args_fini(&p.args);
}

static void test_errors_say_what_is_near(void **state)
{
    (void)state;
    expect_error("stint --limti 3", "did you mean --limit?");
    expect_error("stint --zzzzzzzzz", "unknown option --zzzzzzzzz");
    expect_error("stint -z", "unknown option -z");
    expect_error("stint --limit", "--limit needs a value: --limit N");
    expect_error("stint -c", "--config needs a value");
    expect_error("stint --json=yes", "--json takes no value");
    expect_error("stint --limit 0", "--limit");
    expect_error("stint --limit 11", "--limit");
    expect_error("stint --limit 3x", "--limit");
    expect_error("stint --timeout 5", "--timeout");
    expect_error("stint --color red", "none of: auto, always, never");
}

static int first(const char *line)
{
    static char text[256];
    static char *argv[32];
    int argc = 0;
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    int at = args_first_word(argc, argv, sets, 2);
    return at == argc ? -1 : at;
}

static void test_the_command_is_found_behind_options(void **state)
{
    (void)state;
    assert_int_equal(first("stint status"), 1);
    assert_int_equal(first("stint -c x status"), 3);
    assert_int_equal(first("stint -cx status"), 2);
    assert_int_equal(first("stint -qc x status"), 3);
    assert_int_equal(first("stint --limit 3 --json events"), 4);
    assert_int_equal(first("stint --limit=3 events"), 2);
    assert_int_equal(first("stint --unknown events"), 2);
    assert_int_equal(first("stint -- events"), 2);
    assert_int_equal(first("stint --json"), -1);
    assert_int_equal(first("stint"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_forms_of_values),
        cmocka_unit_test(test_a_value_may_begin_with_a_dash),
        cmocka_unit_test(test_two_dashes_end_options),
        cmocka_unit_test(test_words_that_begin_with_a_dash),
        cmocka_unit_test(test_errors_say_what_is_near),
        cmocka_unit_test(test_the_command_is_found_behind_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
