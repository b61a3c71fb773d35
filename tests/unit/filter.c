/* The filter language: what is right and how it is understood, what is wrong and where the caret
 * stands; and which rows match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/filter/fields.h"
#include "common/filter/match.h"

static const char *const ops[FILTER_OPS] = {"=", "!=", ">", ">=", "<", "<=", "~"};

/* job=a|b -key~x … */
static char *dump(const struct filter *f)
{
    struct buf out = BUF_INIT;
    for (size_t i = 0; i < f->len; i++) {
        const struct filter_term *t = &f->terms[i];
        enum filter_type type = filter_about_field(t->field)->type;
        buf_addf(&out, "%s%s%s%s", i ? " " : "", t->is_negated ? "-" : "",
            filter_field_name(t->field), ops[t->op]);
        for (size_t k = 0; k < t->values_len; k++) {
            buf_adds(&out, k ? "|" : "");
            if (type == FILTER_TYPE_NUMBER || type == FILTER_TYPE_AGE)
                buf_addf(&out, "%lld", (long long)t->values[k].number);
            else
                buf_adds(&out, t->values[k].text);
        }
    }
    return buf_take(&out);
}

static const struct {
    const char *text, *means;
} right[] = {
    {"", ""},
    {"  \t ", ""},
    {"job:news", "job=news"},
    {"job=news", "job=news"},
    {"job!=news", "job!=news"},
    {"job~ew", "job~ew"},
    {"job:@discover", "job=@discover"},
    {"job:news,prices", "job=news|prices"},
    {"  job:news   stage:fetch ", "job=news stage=fetch"},
    {"job:news\nstage:fetch", "job=news stage=fetch"},
    {"-job:news", "-job=news"},
    {"-job!=news", "-job!=news"},
    {"stage:fetch", "stage=fetch"},
    {"status:failed", "status=failed"},
    {"status:failed,exhausted", "status=failed|exhausted"},
    {"status!=done,skipped", "status!=done|skipped"},
    {"-status:done", "-status=done"},
    {"status:blocked,pending,in_progress,retry_later,held,done,skipped,failed,exhausted,cancelled",
        "status=blocked|pending|in_progress|retry_later|held|done|skipped|failed|exhausted|"
        "cancelled"},
    {"item:failed", "item=failed"},
    {"item:failed,cancelled,done,in_progress,pending",
        "item=failed|cancelled|done|in_progress|pending"},
    {"error:timeout", "error~timeout"},
    {"error=timeout", "error=timeout"},
    {"error~timeout", "error~timeout"},
    {"error!=timeout", "error!=timeout"},
    {"error:\"HTTP 429\"", "error~HTTP 429"},
    {"error:HTTP\" \"429", "error~HTTP 429"},
    {"error=\"\"", "error="},
    {"error:\"say \\\"no\\\"\"", "error~say \"no\""},
    {"error:\"C:\\\\dir\"", "error~C:\\dir"},
    {"error:C:\\dir", "error~C:\\dir"},
    {"key:exact", "key=exact"},
    {"key~example.com", "key~example.com"},
    {"key:https://example.com/a?b=c&d", "key=https://example.com/a?b=c&d"},
    {"key:a,b", "key=a|b"},
    {"key:\"a,b\"", "key=a,b"},
    {"key:\"a b\",c", "key=a b|c"},
    {"key:ä", "key=ä"},
    {"source:manual", "source=manual"},
    {"source~disc", "source~disc"},
    {"attempts:3", "attempts=3"},
    {"attempts=3", "attempts=3"},
    {"attempts!=3", "attempts!=3"},
    {"attempts>3", "attempts>3"},
    {"attempts>=3", "attempts>=3"},
    {"attempts<3", "attempts<3"},
    {"attempts<=3", "attempts<=3"},
    {"attempts:1,2,3", "attempts=1|2|3"},
    {"interruptions>0", "interruptions>0"},
    {"priority>10", "priority>10"},
    {"priority>=-10", "priority>=-10"},
    {"priority:-5,+5", "priority=-5|5"},
    {"age>1h", "age>3600000"},
    {"age<90s", "age<90000"},
    {"age>=1.5m", "age>=90000"},
    {"age<=7d", "age<=604800000"},
    {"changed<10m", "changed<600000"},
    {"exact", "key=exact"},
    {"-exact", "-key=exact"},
    {"https://example.com/a,b", "key=https://example.com/a,b"},
    {"\"a key\"", "key=a key"},
    {"\"job:x\"", "key=job:x"},
    {"\"failed\"", "key=failed"},
    {"--x", "-key=-x"},
    {"\"-x\"", "key=-x"},
    {"a1:b", "key=a1:b"},
    {"wow!", "key=wow!"},
    {"a.b>c", "key=a.b>c"},
    {"job:news stage:fetch status:failed error:timeout key~example.com -key:exact attempts>=3 "
     "age>1h priority>10",
        "job=news stage=fetch status=failed error~timeout key~example.com -key=exact attempts>=3 "
        "age>3600000 priority>10"},
};

static void test_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct filter f = FILTER_INIT;
        struct filter_fault fault = {.at = 0};
        if (filter_parse(right[i].text, &f, &fault))
            fail_msg("%s: refused: %s", right[i].text, fault.what.text);
        CLEANUP_FREE char *means = dump(&f);
        if (strcmp(means, right[i].means) != 0)
            fail_msg("%s: means %s, not %s", right[i].text, means, right[i].means);
        filter_fini(&f);
        filter_fini(&f);
    }
}

static const struct {
    const char *text;
    size_t at, len; /* the caret */
    const char *what;
} wrong[] = {
    {"job:news stat:failed", 9, 4, "unknown field \"stat\"; did you mean \"status\"?"},
    {"statsu:failed", 0, 6, "did you mean \"status\"?"},
    {"jobs:a", 0, 4, "did you mean \"job\"?"},
    {"JOB:a", 0, 3, "unknown field \"JOB\""},
    {"user:42", 0, 4, "Meant as a key: key:user:42"},
    {"-stat:failed", 1, 4, "did you mean \"status\"?"},
    {"job:news -", 9, 1, "negates the word behind it"},
    {"- job:news", 0, 1, "negates the word behind it"},
    {"job:", 4, 1, "a value is missing"},
    {"job: news", 4, 1, "a value is missing"},
    {"job:a,", 6, 1, "a value is missing"},
    {"job:,a", 4, 1, "a value is missing"},
    {"job:a,,b", 6, 1, "a value is missing"},
    {"key=", 4, 1, "a value is missing"},
    {"job:a b:c d", 6, 1, "unknown field \"b\""},
    {"job:\"a b\"", 4, 5, "is no name of a job"},
    {"job:a/b", 4, 3, "is no name of a job"},
    {"job:\"\"", 4, 2, "is no name of a job"},
    {"stage:@x", 6, 2, "is no name of a stage"},
    {"job>a", 3, 1, "job does not take >; it takes : = != ~, as in job:news"},
    {"job>=a", 3, 2, "job does not take >="},
    {"key<a", 3, 1, "key does not take <"},
    {"status~fail", 6, 1, "status does not take ~; it takes : = !=, as in status:failed"},
    {"status>failed", 6, 1, "status does not take >"},
    {"attempts~3", 8, 1, "attempts does not take ~"},
    {"age:1h", 3, 1, "age does not take :; it takes > >= < <=, as in age>1h"},
    {"age!=1h", 3, 2, "age does not take !="},
    {"changed=1h", 7, 1, "changed does not take ="},
    {"status:fialed", 7, 6, "unknown status \"fialed\"; did you mean \"failed\"?"},
    {"status:failed,exhasted", 14, 8, "did you mean \"exhausted\"?"},
    {"status:Failed", 7, 6, "did you mean \"failed\"?"},
    {"status:42", 7, 2, "there are: blocked, pending"},
    {"item:exhausted", 5, 9, "unknown status of an item \"exhausted\""},
    {"item:retry_later", 5, 11, "there are: failed, cancelled, done, in_progress, pending"},
    {"attempts>x", 9, 1, "attempts takes a whole number: attempts>=3"},
    {"attempts>=1.5", 10, 3, "whole number"},
    {"attempts:1,x", 11, 1, "whole number"},
    {"attempts>1,2", 10, 1, "a list of alternatives goes with : = != ~ only"},
    {"attempts:99999999999999999999", 9, 20, "whole number"},
    {"priority>high", 9, 4, "priority takes a whole number: priority>10"},
    {"age>1", 4, 1, "age takes a time with its unit (ms, s, m, h, d): age>1h"},
    {"age>1 h", 4, 1, "with its unit"},
    {"age>-1h", 4, 3, "with its unit"},
    {"age>soon", 4, 4, "with its unit"},
    {"age>1h,2h", 6, 1, "a list of alternatives"},
    {"changed<10", 8, 2, "changed takes a time with its unit (ms, s, m, h, d): changed<10m"},
    {"error:\"timeout", 6, 1, "this quote has no end"},
    {"key:a\"b c", 5, 1, "this quote has no end"},
    {"\"a key", 0, 1, "this quote has no end"},
    {"attempts >= 3", 0, 8, "attempts needs an operator and a value, without blanks"},
    {"job:a >= 3", 6, 2, "an operator without a field"},
    {"job:a :x", 6, 1, "an operator without a field"},
    {"~x", 0, 1, "an operator without a field"},
    {"status", 0, 6, "status needs an operator and a value"},
    {"-status", 1, 6, "status needs an operator and a value"},
    {"failed", 0, 6, "did you mean status:failed? (else key:failed)"},
    {"job:a -done", 7, 4, "did you mean status:done?"},
    {"\x1b[31m:x stat:y", 8, 4, "did you mean \"status\"?"},
    {"job:\x1b[31m", 4, 5, "\"\\x1b[31m\" is no name of a job"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct filter f = FILTER_INIT;
        struct filter_fault fault = {.at = 0};
        if (filter_parse(wrong[i].text, &f, &fault) != RC_INVALID)
            fail_msg("%s: accepted", wrong[i].text);
        assert_null(f.terms);
        if (fault.at != wrong[i].at || fault.len != wrong[i].len)
            fail_msg("%s: caret at %zu, %zu long, not %zu, %zu (%s)", wrong[i].text, fault.at,
                fault.len, wrong[i].at, wrong[i].len, fault.what.text);
        if (!strstr(fault.what.text, wrong[i].what))
            fail_msg("%s: says %s, not %s", wrong[i].text, fault.what.text, wrong[i].what);
        if (strchr(fault.what.text, 0x1b))
            fail_msg("%s: a raw control character", wrong[i].text);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf words = BUF_INIT;
    CLEANUP(buf_fini) struct buf values = BUF_INIT;
    struct filter f = FILTER_INIT;
    struct filter_fault fault = {.at = 0};
    for (int i = 0; i < FILTER_TERMS_MAX; i++)
        buf_addf(&words, "k%d ", i);
    assert_int_equal(filter_parse(buf_str(&words), &f, &fault), RC_OK);
    assert_int_equal(f.len, FILTER_TERMS_MAX);
    filter_fini(&f);
    buf_adds(&words, "more");
    assert_int_equal(filter_parse(buf_str(&words), &f, &fault), RC_INVALID);
    assert_int_equal(fault.at, words.len - 4);
    buf_adds(&values, "key:0");
    for (int i = 1; i < FILTER_VALUES_MAX; i++)
        buf_addf(&values, ",%d", i);
    assert_int_equal(filter_parse(buf_str(&values), &f, &fault), RC_OK);
    filter_fini(&f);
    buf_adds(&values, ",more");
    assert_int_equal(filter_parse(buf_str(&values), &f, &fault), RC_INVALID);
}

#define NOW INT64_C(1000000000)
static const struct filter_subject subject = {
    .job = "news",
    .stage = "fetch",
    .key = "https://Example.com/a",
    .error = "Timeout after 30 s",
    .source = "manual",
    .status = STATUS_EXHAUSTED,
    .item = ITEM_FAILED,
    .attempts = 5,
    .interruptions = 1,
    .priority = -3,
    .added_wall_ms = NOW - 3600000,
    .changed_wall_ms = NOW - 60000,
};

static const struct {
    const char *text;
    bool matches;
} matching[] = {
    {"", true},
    {"job:news", true},
    {"job:new", false},
    {"job:prices,news", true},
    {"job!=prices,news", false},
    {"job!=prices", true},
    {"-job:news", false},
    {"-job!=news", true},
    {"job~EW", true},
    {"job:news stage:parse", false},
    {"status:exhausted", true},
    {"status:failed", false},
    {"status!=failed,done", true},
    {"item:failed", true},
    {"item!=failed", false},
    {"error:timeout", true},
    {"error:TIMEOUT", true},
    {"error=timeout", false},
    {"error=\"Timeout after 30 s\"", true},
    {"error:429,timeout", true},
    {"-error:429", true},
    {"key~example.com", true},
    {"key:https://Example.com/a", true},
    {"key:https://example.com/a", false},
    {"https://Example.com/a", true},
    {"source:manual", true},
    {"attempts:5", true},
    {"attempts>5", false},
    {"attempts>=5 attempts<=5", true},
    {"attempts<5", false},
    {"attempts!=5", false},
    {"attempts:4,5", true},
    {"interruptions>0", true},
    {"priority<0", true},
    {"priority>=-2", false},
    {"age>59m", true},
    {"age>1h", false},
    {"age>=1h", true},
    {"age<1h", false},
    {"-age>=1h", false},
    {"changed<2m", true},
    {"changed>2m", false},
};

static void test_matching(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(matching) / sizeof(matching[0]); i++) {
        struct filter f = FILTER_INIT;
        struct filter_fault fault = {.at = 0};
        assert_int_equal(filter_parse(matching[i].text, &f, &fault), RC_OK);
        if (filter_matches(&f, &subject, NOW) != matching[i].matches)
            fail_msg("%s: %d", matching[i].text, !matching[i].matches);
        filter_fini(&f);
    }
}

static void test_parts(void **state)
{
    (void)state;
    const char *text = "job:news  -stage:a,b status:failed,held status!=held \"x y\"";
    struct filter f = FILTER_INIT;
    struct filter_fault fault = {.at = 0};
    CLEANUP(buf_fini) struct buf rest = BUF_INIT;
    assert_int_equal(filter_parse(text, &f, &fault), RC_OK);
    assert_int_equal(filter_statuses(&f), 1u << STATUS_FAILED);
    assert_true(filter_allows_text(&f, FILTER_JOB, "news"));
    assert_false(filter_allows_text(&f, FILTER_JOB, "other"));
    assert_false(filter_allows_text(&f, FILTER_STAGE, "b"));
    assert_true(filter_allows_text(&f, FILTER_STAGE, "c"));
    assert_string_equal(filter_exactly(&f, FILTER_KEY)->values[0].text, "x y");
    assert_null(filter_exactly(&f, FILTER_STAGE));
    assert_null(filter_exactly(&f, FILTER_STATUS));
    assert_true(filter_has(&f, FILTER_STATUS));
    assert_false(filter_has(&f, FILTER_AGE));
    filter_without(&f, text, 1u << FILTER_STATUS, &rest);
    assert_string_equal(buf_str(&rest), "job:news -stage:a,b \"x y\"");
    filter_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
