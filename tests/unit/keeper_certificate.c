/* Death certificates: JSON for the event, one text for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/ipc/heartbeat.h"
#include "supervisor/keeper/certificate.h"

static json_t *write_and_parse(const struct death_certificate *death, int64_t life)
{
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    json_error_t error;
    certificate_write(death, life, &out);
    json_t *value = json_loads(buf_str(&out), JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        fail_msg("%s: %s", error.text, buf_str(&out));
    return value;
}

static int64_t member(json_t *value, const char *name)
{
    json_t *it = json_object_get(value, name);
    assert_true(json_is_integer(it));
    return json_integer_value(it);
}

static void test_all_fields(void **state)
{
    struct death_certificate death = {
        .pid = 4711,
        .status = 9,
        .slot = 3,
        .verdict = DEATH_HUNG,
        .is_oom_proven = 1,
        .state = WORKER_RUNNING,
        .user_us = 10,
        .system_us = 20,
        .max_rss_kib = 30,
        .last_beat_age_ms = 40,
        .lived_ms = 50,
        .reason = "no heartbeat for \"10 s\"",
    };
    (void)state;
    json_t *value = write_and_parse(&death, 99);
    assert_int_equal(member(value, "life"), 99);
    assert_int_equal(member(value, "slot"), 3);
    assert_int_equal(member(value, "pid"), 4711);
    assert_int_equal(member(value, "signal"), 9);
    assert_true(json_is_null(json_object_get(value, "exit")));
    assert_true(json_is_true(json_object_get(value, "oom")));
    assert_string_equal(json_string_value(json_object_get(value, "verdict")), "hung");
    assert_string_equal(json_string_value(json_object_get(value, "state")), "running");
    assert_string_equal(json_string_value(json_object_get(value, "reason")), death.reason);
    assert_int_equal(member(value, "user_us"), 10);
    assert_int_equal(member(value, "system_us"), 20);
    assert_int_equal(member(value, "max_rss_kib"), 30);
    assert_int_equal(member(value, "last_beat_age_ms"), 40);
    assert_int_equal(member(value, "lived_ms"), 50);
    json_decref(value);
}

static void test_nonsense_is_data(void **state)
{
    struct death_certificate death = {.status = 7 << 8, .verdict = 77, .state = 1234};
    (void)state;
    memset(death.reason, 'x', sizeof(death.reason)); /* no NUL */
    json_t *value = write_and_parse(&death, 1);
    assert_int_equal(member(value, "exit"), 7);
    assert_true(json_is_null(json_object_get(value, "signal")));
    assert_string_equal(json_string_value(json_object_get(value, "verdict")), "unknown");
    assert_string_equal(json_string_value(json_object_get(value, "state")), "unknown");
    assert_int_equal(json_string_length(json_object_get(value, "reason")), sizeof(death.reason));
    json_decref(value);
}

static void test_causes(void **state)
{
    static const struct {
        struct death_certificate death;
        const char *text;
    } rows[] = {
        {{.status = 9}, "worker killed by signal 9 (SIGKILL)"},
        {{.status = 9, .is_oom_proven = 1}, "worker killed by signal 9 (SIGKILL): out of memory"},
        {{.status = 1 << 8}, "worker exited with 1"},
        {{.status = 9, .verdict = DEATH_HUNG, .reason = "no heartbeat for 10 s"},
            "worker hung: no heartbeat for 10 s"},
        {{.status = 9, .verdict = DEATH_HUNG}, "worker hung"},
        {{.status = 60}, "worker killed by signal 60"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP(buf_fini) struct buf out = BUF_INIT;
        certificate_cause(&rows[i].death, &out);
        assert_string_equal(buf_str(&out), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_nonsense_is_data),
        cmocka_unit_test(test_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
