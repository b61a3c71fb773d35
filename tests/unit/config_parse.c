/* Configuration: what is read and what it becomes, and that no bytes do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"
#include "tests/unit/config_text.h"

static void nothing_is_a_configuration(void **state)
{
    (void)state;
    struct config *c = good("");
    assert_int_equal(c->jobs_len, 0);
    assert_string_equal(c->directory, "/srv/pool");
    assert_string_equal(c->pool.database, "/srv/pool/stint.db");
    assert_string_equal(c->pool.directory, "/srv/pool");
    assert_string_equal(c->pool.socket, "/srv/pool/stint.sock");
    assert_string_equal(c->pool.pid_file, "/srv/pool/stint.pid");
    assert_int_equal(c->pool.workers_min, 2);
    assert_int_equal(c->pool.workers_max, 2);
    assert_int_equal(c->pool.durability, DURABILITY_FULL);
    assert_int_equal(c->pool.heartbeat_interval_ms, 1000);
    assert_int_equal(c->pool.heartbeat_timeout_ms, 10000);
    assert_int_equal(c->pool.shutdown_timeout_ms, 25000);
    assert_int_equal(c->pool.write_timeout_ms, 2000);
    assert_null(config_job(c, "news"));
    config_free(c);
    config_free(NULL);
}

static const char whole[] = "\xef\xbb\xbf# a comment\r\n"
                            "[pool]\r\n"
                            "  database = /var/lib/s/x.db\n"
                            "  workers = 2..16\n"
                            "  durability=normal\n"
                            "[job news]\n"
                            "discover = list in put.csv ; not a comment\n"
                            "discover.format = csv\n"
                            "discover.key = id\n"
                            "stages = fetch\n"
                            "  # in between\n"
                            "  parse store\n"
                            "priority = -5\n"
                            "ageing = 30m\n"
                            "merge = keep\n"
                            "on_change = rerun\n"
                            "timeout = 1m\n"
                            "max_attempts = 3\n"
                            "backoff = 10s\n"
                            "; one more comment\n"
                            "[stage news.fetch]\n"
                            "handler = exec ./fetch 'a b' \"c\\\"d\" --x=\"y z\"\n"
                            "version = 2026-02-26.1\n"
                            "timeout = 5m\n"
                            "backoff = 1s..2m\n"
                            "backoff_factor = 1.5\n"
                            "jitter = 0%\n"
                            "stderr_tail = 64K\n"
                            "output_size = 2M\n"
                            "on_worker_death = fail\n"
                            "[stage news.parse]\n"
                            "handler = shell for x in 1 2; do\n"
                            "    echo \"$x\" ; done\n"
                            "grace = 0s\n"
                            "[stage news.store]\n"
                            "handler = builtin sleep 250ms\n"
                            "[job one]\n"
                            "handler = builtin fail it is broken\n"
                            "version = 7\n"
                            "[stage one.one]\n"
                            "timeout = 2s\n";

static void everything_is_read(void **state)
{
    (void)state;
    struct config *c = good(whole);
    assert_string_equal(c->pool.database, "/var/lib/s/x.db");
    assert_string_equal(c->pool.socket, "/var/lib/s/stint.sock");
    assert_int_equal(c->pool.workers_min, 2);
    assert_int_equal(c->pool.workers_max, 16);
    assert_int_equal(c->pool.durability, DURABILITY_NORMAL);
    assert_int_equal(c->jobs_len, 2);
    const struct job_spec *news = config_job(c, "news");
    assert_int_equal(news->discover, DISCOVER_LIST);
    assert_string_equal(news->discover_arg, "in put.csv ; not a comment");
    assert_int_equal(news->discover_options_len, 2);
    assert_string_equal(news->discover_options[0].key, "format");
    assert_string_equal(news->discover_options[1].value, "id");
    assert_int_equal(news->priority, -5);
    assert_int_equal(news->ageing_ms, 1800000);
    assert_int_equal(news->merge, MERGE_KEEP);
    assert_int_equal(news->on_change, ON_CHANGE_RERUN);
    assert_int_equal(news->stages_len, 3);
    assert_string_equal(news->stages[2].name, "store");
    const struct stage_spec *fetch = job_stage(news, "fetch"), *parse = job_stage(news, "parse");
    assert_int_equal(fetch->handler.kind, HANDLER_EXEC);
    const char *argv[] = {"./fetch", "a b", "c\"d", "--x=y z"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(fetch->handler.argv[i], argv[i]);
    assert_null(fetch->handler.argv[4]);
    assert_string_equal(fetch->version, "2026-02-26.1");
    assert_int_equal(fetch->tuning.timeout_ms, 300000);
    assert_int_equal(fetch->tuning.grace_ms, 5000);
    assert_int_equal(fetch->tuning.max_attempts, 3);
    assert_int_equal(fetch->tuning.backoff_base_ms, 1000);
    assert_int_equal(fetch->tuning.backoff_max_ms, 120000);
    assert_true(fetch->tuning.backoff_factor > 1.49 && fetch->tuning.backoff_factor < 1.51);
    assert_int_equal(fetch->tuning.jitter_pct, 0);
    assert_int_equal(fetch->tuning.stderr_tail_bytes, 65536);
    assert_int_equal(fetch->tuning.output_size_bytes, 2 << 20);
    assert_int_equal(fetch->tuning.on_worker_death, ON_DEATH_FAIL);
    assert_int_equal(parse->handler.kind, HANDLER_SHELL);
    assert_string_equal(parse->handler.argv[2], "for x in 1 2; do\necho \"$x\" ; done");
    assert_string_equal(parse->version, "");
    assert_int_equal(parse->tuning.timeout_ms, 60000);
    assert_int_equal(parse->tuning.grace_ms, 0);
    assert_int_equal(parse->tuning.backoff_base_ms, 10000);
    assert_int_equal(parse->tuning.backoff_max_ms, 3600000);
    assert_int_equal(parse->tuning.on_worker_death, ON_DEATH_REQUEUE);
    assert_int_equal(job_stage(news, "store")->handler.builtin, BUILTIN_SLEEP);
    assert_int_equal(job_stage(news, "store")->handler.builtin_ms, 250);
    const struct job_spec *one = config_job(c, "one");
    assert_int_equal(one->discover, DISCOVER_MANUAL);
    assert_string_equal(one->discover_arg, "");
    assert_int_equal(one->stages_len, 1);
    assert_string_equal(one->stages[0].name, "one");
    assert_string_equal(one->stages[0].version, "7");
    assert_string_equal(one->stages[0].handler.builtin_arg, "it is broken");
    assert_int_equal(one->stages[0].tuning.timeout_ms, 2000);
    assert_int_equal(one->stages[0].tuning.jitter_pct, 30);
    config_free(c);
    const struct job_spec *hidden = config_discover_job();
    assert_string_equal(hidden->name, "@discover");
    assert_int_equal(hidden->stages[0].tuning.max_attempts, 3);
    assert_int_equal(hidden->stages[0].tuning.timeout_ms, 3600000);
    assert_int_equal(hidden->stages[0].handler.builtin, BUILTIN_DISCOVER);
}

static void the_environment_comes_last(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    assert_int_equal(parse2("[pool]\nworkers = 3\n", "[job a]\nhandler = builtin noop\n",
                         "[pool]\nworkers = 7\ndatabase = d/x.db\n", &config, &problems),
        RC_OK);
    assert_int_equal(config->pool.workers_max, 7);
    assert_string_equal(config->pool.database, "/srv/pool/d/x.db");
    assert_string_equal(config->pool.socket, "/srv/pool/d/stint.sock");
    config_free(config);
}

static void long_lines_stay_whole(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    CLEANUP(buf_fini) struct buf argument = BUF_INIT;
    for (int i = 0; i < 5000; i++)
        buf_addf(&argument, "%d;", i);
    for (int i = 0; i < 60; i++)
        buf_addc(&text, '#');
    buf_addf(&text, "\n[job %064d]\nhandler = exec prog ; %s\n\t; comment\n\ttail\n", 1,
        buf_str(&argument));
    struct config *c = good(buf_str(&text));
    assert_string_equal(c->jobs[0].stages[0].handler.argv[1], ";");
    assert_string_equal(c->jobs[0].stages[0].handler.argv[2], buf_str(&argument));
    assert_string_equal(c->jobs[0].stages[0].handler.argv[3], "tail");
    config_free(c);
}

static void names_have_64_bytes(void **state)
{
    (void)state;
    for (int len = 63; len <= 65; len++) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        struct config *config = NULL;
        buf_addf(&text, "[job %0*d]\nstages = %0*d\n[stage %0*d.%0*d]\nhandler = builtin noop\n",
            len, 7, len, 8, len, 7, len, 8);
        assert_int_equal(
            parse2(buf_str(&text), NULL, NULL, &config, NULL), len <= 64 ? RC_OK : RC_INVALID);
        if (len <= 64)
            config_free(config);
    }
}

/* Bytes changed, cut and doubled in a good text; and bytes from nowhere. Whatever comes out is
 * either a configuration or has at least one problem told. */
static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char likely[] = "[]=;#.\n\n \t\"'\\0129azAZ%\x01\xff";
    uint32_t seed = 20261122;
    for (int round = 0; round < 3000; round++) {
        char text[sizeof(whole)];
        memcpy(text, whole, sizeof(text));
        size_t changes = round % 3 == 2 ? sizeof(text) : next_random(&seed) % 12;
        for (size_t i = 0; i < changes; i++)
            text[next_random(&seed) % (sizeof(text) - 1)] =
                likely[next_random(&seed) % (sizeof(likely) - 1)];
        text[next_random(&seed) % sizeof(text)] = '\0';
        CLEANUP(buf_fini) struct buf problems = BUF_INIT;
        struct config *config = NULL;
        enum rc rc = parse2(text, NULL, NULL, &config, &problems);
        assert_int_equal(rc == RC_OK, problems.len == 0);
        assert_int_equal(rc == RC_OK, config != NULL);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_a_configuration),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(the_environment_comes_last),
        cmocka_unit_test(long_lines_stay_whole),
        cmocka_unit_test(names_have_64_bytes),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
