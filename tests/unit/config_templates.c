/* Configuration: templates, what wins over what, where each value comes from, and variables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/config/changes.h"
#include "tests/unit/config_text.h"

/* timeout: 1 template of the job, 2 job, 3 template of the stage, 4 stage; grace: the deepest. */
#define TEMPLATES                                                                                  \
    "[template jt]\ntimeout = 1s\nuse = base\n[template st]\ntimeout = 3s\n"                       \
    "[template base]\ntimeout = 9s\ngrace = 9s\npriority = 9\n"
#define SX "[stage a.x]\nhandler = exec t\n"

static const struct {
    const char *job, *stage;
    int64_t timeout_s;
} precedence[] = {
    {"", "", 1800},
    {"use = base\n", "", 9},
    {"use = jt\n", "", 1},
    {"use = jt\ntimeout = 2s\n", "", 2},
    {"timeout = 2s\nuse = jt\n", "", 2},
    {"use = jt\ntimeout = 2s\n", "use = st\n", 3},
    {"use = jt\ntimeout = 2s\n", "use = st\ntimeout = 4s\n", 4},
    {"use = jt\ntimeout = 2s\n", "timeout = 4s\nuse = st\n", 4},
    {"use = jt\n", "use = st\n", 3},
};

static void the_nearer_wins(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(precedence); i++) {
        CLEANUP_FREE char *text = xasprintf(
            "[job a]\nstages = x\n%s" SX "%s" TEMPLATES, precedence[i].job, precedence[i].stage);
        struct config *c = good(text);
        assert_int_equal(c->jobs[0].stages[0].tuning.timeout_ms, precedence[i].timeout_s * 1000);
        if (strstr(precedence[i].job, "use")) {
            assert_int_equal(c->jobs[0].priority, 9);
            assert_int_equal(c->jobs[0].stages[0].tuning.grace_ms, 9000);
        }
        config_free(c);
    }
}

static void a_template_may_have_any_key_of_a_job(void **state)
{
    (void)state;
    struct config *c = good("[template t]\ndiscover = list a.csv\ndiscover.format = csv\n"
                            "discover.key = id\nhandler = exec x\nversion = 1\n"
                            "[job a]\nuse = t\n[job b]\nuse = t\ndiscover = list b.txt\n"
                            "discover.key = name\nversion = 2\n"
                            "[job c]\nuse = t\ndiscover = glob *.txt\nhandler = exec y\n");
    assert_string_equal(c->jobs[0].discover_arg, "a.csv");
    assert_int_equal(c->jobs[0].discover_options_len, 2);
    assert_string_equal(c->jobs[0].stages[0].handler.argv[0], "x");
    assert_string_equal(c->jobs[1].discover_arg, "b.txt");
    assert_int_equal(c->jobs[1].discover_options_len, 2);
    assert_string_equal(c->jobs[1].discover_options[1].value, "name");
    assert_string_equal(c->jobs[1].stages[0].version, "2");
    assert_int_equal(c->jobs[2].discover_options_len, 0); /* they were for the list */
    assert_string_equal(c->jobs[2].stages[0].handler.argv[0], "y");
    config_free(c);
}

static void stages_of_a_template_are_replaced_whole(void **state)
{
    (void)state;
    struct config *c = good("[template t]\nstages = x y\n[job a]\nuse = t\nstages = z\n"
                            "[stage a.z]\nhandler = exec t\n[job b]\nuse = t\n"
                            "[stage b.x]\nhandler = exec t\n[stage b.y]\nhandler = exec t\n");
    assert_int_equal(c->jobs[0].stages_len, 1);
    assert_string_equal(c->jobs[0].stages[0].name, "z");
    assert_int_equal(c->jobs[1].stages_len, 2);
    config_free(c);
}

static void is_from(
    const struct origins *origins, const char *key, size_t line, const char *template)
{
    const struct origin *origin = origin_find(origins, key);
    assert_non_null(origin);
    assert_string_equal(origin->file, "stint.conf");
    assert_int_equal(origin->line, line);
    if (template)
        assert_string_equal(origin->template, template);
    else
        assert_null(origin->template);
}

static void every_value_knows_its_line(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *c = NULL;
    assert_int_equal(parse2("[pool]\nworkers = 3\n"
                            "[template t]\ntimeout = 3s\ngrace = 1s\n"
                            "[job a]\npriority = 3\ngrace = 2s\nstages = x\nuse = t\n"
                            "[stage a.x]\nhandler = exec t\njitter = 1%\n"
                            "[resource r]\nrate = 1/s\n",
                         NULL, "[pool]\nworkers = 4\n", &c, &problems),
        RC_OK);
    const struct stage_spec *x = &c->jobs[0].stages[0];
    is_from(&c->jobs[0].origins, "priority", 7, NULL);
    is_from(&x->origins, "timeout", 4, "t");
    is_from(&x->origins, "grace", 8, NULL);
    is_from(&x->origins, "jitter", 13, NULL);
    is_from(&c->resources[0].origins, "rate", 15, NULL);
    assert_null(origin_find(&x->origins, "max_attempts"));
    assert_null(origin_find(&c->resources[0].origins, "burst"));
    assert_string_equal(origin_find(&c->pool.origins, "workers")->file, "environment");
    config_free(c);
}

static void has_variables(const struct env *env, const char *entries)
{
    CLEANUP(buf_fini) struct buf all = BUF_INIT;
    for (size_t i = 0; i < env->len; i++)
        buf_addf(&all, "%s%s", i ? "," : "", env->list[i].entry);
    assert_string_equal(buf_str(&all), entries);
}

static void variables_are_inherited_and_replaced_one_by_one(void **state)
{
    (void)state;
    struct config *c = good("[template t]\nenv.A = t\nenv.B = t\n[template u]\nenv.C = u\n"
                            "[job a]\nstages = x y\nuse = t\nenv.B = job\nenv.D = a ; b\n  c\n"
                            "[stage a.x]\nhandler = exec t\nuse = u\nenv.A = x=y\n"
                            "[stage a.y]\nhandler = exec t\n");
    has_variables(&c->jobs[0].env, "A=t,B=job,D=a ; b c");
    has_variables(&c->jobs[0].stages[0].env, "A=x=y,B=job,D=a ; b c,C=u");
    has_variables(&c->jobs[0].stages[1].env, "A=t,B=job,D=a ; b c");
    assert_string_equal(c->jobs[0].stages[0].env.list[3].origin.template, "u");
    assert_int_equal(c->jobs[0].stages[0].env.list[0].origin.line, 15);
    config_free(c);
}

static const struct {
    const char *text, *problems;
} wrong[] = {
    {"[template a]\nuse = b\n[template b]\nuse = c\n[template c]\nuse = a\n[job j]\nuse = b\n"
     "handler = exec t\n",
        "stint.conf:2: use: templates go round in a circle: a → b → c → a\n"},
    {"[template a]\nuse = a\n", "stint.conf:2: use: templates go round in a circle: a → a\n"},
    {"[template a]\nuse = b\n[template b]\nuse = b\n",
        "stint.conf:4: use: templates go round in a circle: b → b\n"},
    {"[template scraper]\n[job j]\nuse = scarper\nhandler = exec t\n",
        "stint.conf:3: use: there is no template \"scarper\"; did you mean \"scraper\"?\n"},
    {"[job j]\nuse = t\nhandler = exec t\n",
        "stint.conf:2: use: there is no template \"t\"; add a section [template t]\n"},
    {"[job j]\nuse =\nhandler = exec t\n",
        "stint.conf:2: use: has no value; expected the name of a [template] section\n"},
    {"[pool]\nuse = t\n",
        "stint.conf:2: unknown key \"use\" in [pool]; it belongs to [job NAME]\n"},
    {"[template t]\nworkers = 3\n",
        "stint.conf:2: unknown key \"workers\" in [template t]; it belongs to [pool]\n"},
    /* Once, where it stands, however many use it. */
    {"[template t]\ntimeout = 3\ntimeuot = 3s\ngrace = 1s\ngrace = 1s\n"
     "[job j]\nuse = t\nhandler = exec t\n[job k]\nuse = t\nhandler = exec t\n",
        "stint.conf:2: timeout: \"3\" has no unit; did you mean 3s? (ms, s, m, h or d)\n"
        "stint.conf:3: unknown key \"timeuot\" in [template t]; did you mean \"timeout\"?\n"
        "stint.conf:5: the key \"grace\" is there twice in [template t]; the first is in line 4\n"},
    {"[template t]\npriority = 3\n[job j]\nstages = x\n[stage j.x]\nhandler = exec t\nuse = t\n",
        "stint.conf:7: use: template t has the key \"priority\" (stint.conf:2), which belongs to "
        "[job NAME], not to [stage j.x]\n"},
    {"[template t]\nhandler = exec t\n[job j]\nuse = t\nstages = x\n[stage j.x]\nhandler = exec "
     "t\n",
        "stint.conf:3: job j has stages and uses template t, whose handler (stint.conf:2) would be "
        "nobody's; use it in [stage j.x]\n"},
    {"[template t]\n[template t]\n",
        "stint.conf:2: the section [template t] is there twice; the first is at stint.conf:1\n"},
    {"[template]\n",
        "stint.conf:1: \"\" in [template] is no name; expected 1 to 64 of A-Z, a-z, 0-9, "
        "_ and -\n"},
    {"[pool x]\n", "stint.conf:1: [pool x] has a name, but there is only one pool; expected "
                   "[pool]\n"},
    {"[job j]\nhandler = exec t\nenv.1A = x\nenv.A-B = x\nenv.STINT_X = y\nenv. = x\nenv.C = "
     "@flie:x\n",
        "stint.conf:3: env.1A: \"1A\" is no name of a variable; expected letters, digits and _, no "
        "digit first\n"
        "stint.conf:4: env.A-B: \"A-B\" is no name of a variable; expected letters, digits and _, "
        "no "
        "digit first\n"
        "stint.conf:5: env.STINT_X: names that begin with STINT_ are stint's own; take another "
        "one\n"
        "stint.conf:6: env.: \"\" is no name of a variable; expected letters, digits and _, no "
        "digit "
        "first\n"
        "stint.conf:7: env.C: \"@flie\" is no kind of secret; did you mean \"@file:\"? a text that "
        "begins with @ is written with two: @@…\n"},
    {"[job j]\nhandler = exec t\nenv.A = x\nenv.B = y\nenv.A = z\n",
        "stint.conf:5: the key \"env.A\" is there twice in [job j]; the first is in line 3\n"},
    {"[pool]\nenv.A = x\n",
        "stint.conf:2: unknown key \"env.A\" in [pool]; it belongs to [stage JOB.NAME]\n"},
    {"[pool]\ndatabase = @file:x\n[job j]\nhandler = @cred:y\n",
        "stint.conf:2: database: a secret cannot stand here; only env.NAME takes one, and gives it "
        "to the handler\n"
        "stint.conf:4: handler: a secret cannot stand here; only env.NAME takes one, and gives it "
        "to the handler\n"},
};

static void wrong_ones_get_their_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        is_wrong(wrong[i].text, wrong[i].problems);
}

/* Whatever stands there: a configuration, or problems that are told; and what differs between it
 * and the good one can be said. */
static void random_changes_do_no_harm(void **state)
{
    (void)state;
    static const char whole[] =
        "[resource r]\nrate = 90/m\nburst = 3\n[template t]\nuse = u\nresource = r\n"
        "env.A = file:x\nenv.B = b\n[template u]\npriority = 3\nbackoff = 1s..2s\n"
        "[job a]\nuse = t\nstages = x y\n[stage a.x]\nhandler = exec t\nuse = v\n"
        "[template v]\nenv.C = c\nresource = none\n[stage a.y]\nhandler = shell a\n  b\n"
        "[pool]\nlog = file x\nworkers = 1..3\n";
    static const char likely[] = "[]=.@:\n \ttuvrxyab012/sm";
    struct config *good_one = good("[job a]\nhandler = exec t\n");
    uint32_t seed = 7;
    int good_ones = 0;
    for (int round = 0; round < 3000; round++) {
        char text[sizeof(whole)];
        memcpy(text, whole, sizeof(text));
        for (size_t i = next_random(&seed) % 8; i > 0; i--)
            text[next_random(&seed) % (sizeof(text) - 1)] =
                likely[next_random(&seed) % (sizeof(likely) - 1)];
        CLEANUP(buf_fini) struct buf problems = BUF_INIT;
        struct config *config = NULL;
        enum rc rc = parse2(text, NULL, NULL, &config, &problems);
        assert_int_equal(rc == RC_OK, problems.len == 0);
        assert_int_equal(rc == RC_OK, config != NULL);
        good_ones += config != NULL;
        if (config)
            assert_true(config_changes(good_one, config, NULL, NULL).count > 0);
        config_free(config);
    }
    assert_in_range(good_ones, 100, 2900);
    config_free(good_one);
}

static void templates_may_be_deep_but_not_endless(void **state)
{
    (void)state;
    for (int deep = 15; deep <= 16; deep++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT, problems = BUF_INIT;
        struct config *config = NULL;
        buf_adds(&text, "[job j]\nhandler = exec t\nuse = t0\n");
        for (int i = 0; i < deep; i++)
            buf_addf(&text, "[template t%d]\nuse = t%d\n", i, i + 1);
        buf_addf(&text, "[template t%d]\ntimeout = 7s\n", deep);
        enum rc rc = parse2(buf_str(&text), NULL, NULL, &config, &problems);
        if (deep == 15) {
            assert_string_equal(buf_str(&problems), "");
            assert_int_equal(config->jobs[0].stages[0].tuning.timeout_ms, 7000);
        } else {
            assert_int_equal(rc, RC_INVALID);
            assert_string_equal(buf_str(&problems),
                "stint.conf:5: use: templates use each other more than 15 deep\n");
        }
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearer_wins),
        cmocka_unit_test(a_template_may_have_any_key_of_a_job),
        cmocka_unit_test(stages_of_a_template_are_replaced_whole),
        cmocka_unit_test(every_value_knows_its_line),
        cmocka_unit_test(variables_are_inherited_and_replaced_one_by_one),
        cmocka_unit_test(wrong_ones_get_their_words),
        cmocka_unit_test(random_changes_do_no_harm),
        cmocka_unit_test(templates_may_be_deep_but_not_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
