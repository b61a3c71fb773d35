/* What differs between two configurations, and what each difference means on reload. */
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

#define A "[job a]\nstages = x y\n"
#define X "[stage a.x]\nhandler = exec t\n"
#define Y "[stage a.y]\nhandler = exec t\n"
#define B "[job b]\nhandler = builtin noop\n"

static const struct {
    const char *old, *new, *changes;
    enum option_class strongest;
} table[] = {
    {"", "", "", CLASS_TUNING},
    {A X Y, A Y X, "", CLASS_TUNING},
    {"", "[pool]\nworkers = 2\nheartbeat_timeout = 10000ms\n", "", CLASS_TUNING},
    {B "backoff = 1m\n", B "backoff = 60s..60m\n", "", CLASS_TUNING},
    {"", "[pool]\nworkers = 2..4\n", "pool: pool workers: 2 -> 2..4\n", CLASS_POOL},
    {"[pool]\nsocket = /x\n", "[pool]\nsocket = /y\nwrite_timeout = 1500ms\n",
        "restart: pool socket: /x -> /y\npool: pool write_timeout: 2s -> 1500ms\n", CLASS_RESTART},
    {"[pool]\nlog = file x.log\n", "[pool]\nlog = syslog\n",
        "restart: pool log: file /srv/pool/x.log -> syslog\n", CLASS_RESTART},
    {B, B "priority = 3\njitter = 0%\nbackoff_factor = 1.5\nstderr_tail = 0\n",
        "tuning: job b priority: 0 -> 3\ntuning: job b backoff_factor: 2 -> 1.5\n"
        "tuning: job b jitter: 30% -> 0%\ntuning: job b stderr_tail: 4K -> 0, later\n",
        CLASS_TUNING},
    {B, "[job b]\nhandler = exec t\nversion = 2\n",
        "spec: job b handler: builtin noop -> exec t\nspec: job b version: - -> 2\n", CLASS_SPEC},
    {B, B "discover = list f\ndiscover.key = id\n",
        "spec: job b discover: manual -> list f\nspec: job b discover.key: - -> id\n", CLASS_SPEC},
    {B "discover = list f\ndiscover.key = id\n", B "discover = list f\n",
        "spec: job b discover.key: id -> -\n", CLASS_SPEC},
    {A X Y, B, "spec: job a: [] -> -\nspec: job b: - -> []\n", CLASS_SPEC},
    {A X Y, "[job a]\nstages = y\n" Y, "spec: job a stages: x y -> y\nspec: stage a.x: [] -> -\n",
        CLASS_SPEC},
    {A X Y, "[job a]\nstages = x y z\ntimeout = 1m\n" X Y "[stage a.z]\nhandler = exec t\n",
        "spec: job a stages: x y -> x y z\ntuning: stage a.x timeout: 30m -> 1m, later\n"
        "tuning: stage a.y timeout: 30m -> 1m, later\nspec: stage a.z: - -> []\n",
        CLASS_SPEC},
    {"[job a]\nstages = x\nenv.A = 1\n[stage a.x]\nhandler = exec t\nenv.A = 9\n",
        "[job a]\nstages = x\nenv.A = 2\nenv.B = 3\n[stage a.x]\nhandler = exec t\nenv.A = 9\n",
        "tuning: job a env.A: 1 -> 2, later\ntuning: job a env.B: - -> 3, later\n"
        "tuning: stage a.x env.B: - -> 3, later\n",
        CLASS_TUNING},
    {B, "[job b]\nstages = b\n[stage b.b]\nhandler = builtin noop\n", NULL, CLASS_SPEC},
    {"[resource r]\nrate = 120/m\n" B, "[resource r]\nrate = 2/s\nburst = 5\n" B "resource = r\n",
        "tuning: resource r rate: 120/m -> 2/s\ntuning: resource r burst: 2 -> 5\n"
        "tuning: job b resource: - -> r\n",
        CLASS_TUNING},
    {"[resource r]\nrate = 1/s\n[resource q]\nrate = 1/s\n" B "resource = q\n",
        "[resource q]\nrate = 1/s\n[resource p]\nrate = 1/d\n" B "resource = p q\n",
        "tuning: resource r: [] -> -\ntuning: job b resource: q -> p q\n"
        "tuning: resource p: - -> []\n",
        CLASS_TUNING},
};

static const char *text_of(const struct change *change, const char *text)
{
    return !text ? "-" : change->key ? text : "[]";
}

static void add_line(void *ctx, const struct change *change)
{
    static const char *const classes[] = {"restart", "pool", "spec", "tuning"};
    struct buf *out = ctx;
    buf_addf(out, "%s: %s%s%s: %s -> %s%s\n", classes[change->class], change->section,
        change->key ? " " : "", change->key ? change->key : "", text_of(change, change->old_text),
        text_of(change, change->new_text), change->is_for_next ? ", later" : "");
}

static void every_difference_is_told_with_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        struct config *old = good(table[i].old), *new = good(table[i].new);
        struct changes_summary summary = config_changes(old, new, add_line, &text);
        if (table[i].changes)
            assert_string_equal(buf_str(&text), table[i].changes);
        assert_int_equal(summary.strongest, table[i].strongest);
        assert_int_equal(summary.has_restart, strstr(buf_str(&text), "restart: ") != NULL);
        assert_int_equal(summary.has_spec, strstr(buf_str(&text), "spec: ") != NULL);
        assert_int_equal(summary.count == 0, text.len == 0);
        assert_int_equal(config_changes(old, old, NULL, NULL).count, 0);
        config_free(old);
        config_free(new);
    }
}

static void a_resource_knows_its_rate_and_burst(void **state)
{
    (void)state;
    struct config *c = good("[resource a]\nrate = 5000/h\nburst = 100\n[resource b]\nrate = 20/s\n"
                            "[resource c]\nrate = 1 / d\n[job j]\nstages = x y z\nresource = a\n"
                            "[stage j.x]\nhandler = exec t\nresource = c a\n"
                            "[stage j.y]\nhandler = exec t\n"
                            "[stage j.z]\nhandler = exec t\nresource = none\n");
    assert_int_equal(c->resources_len, 3);
    assert_int_equal(config_resource(c, "a")->rate_count, 5000);
    assert_int_equal(config_resource(c, "a")->rate_per_ms, 3600000);
    assert_int_equal(config_resource(c, "a")->burst, 100);
    assert_int_equal(config_resource(c, "b")->burst, 20);
    assert_int_equal(config_resource(c, "c")->rate_per_ms, 86400000);
    assert_int_equal(config_resource(c, "c")->burst, 1);
    assert_null(config_resource(c, "d"));
    const struct stage_spec *stages = c->jobs[0].stages;
    assert_int_equal(stages[0].tuning.resources_len, 2);
    assert_int_equal(stages[0].tuning.resources[0], 2);
    assert_int_equal(stages[0].tuning.resources[1], 0);
    assert_int_equal(stages[1].tuning.resources_len, 1);
    assert_int_equal(stages[1].tuning.resources[0], 0);
    assert_int_equal(stages[2].tuning.resources_len, 0);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_difference_is_told_with_its_class),
        cmocka_unit_test(a_resource_knows_its_rate_and_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
