/* The grammar of what handlers say: every type, every member, and what breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/protocol/message.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void parse(const char *line, struct message *m)
{
    struct err err = {""};
    if (message_parse(line, strlen(line), m, NULL, &err) != RC_OK)
        fail_msg("%s: %s", line, err.text);
}

static void test_each_type_is_told(void **state)
{
    static const struct {
        const char *line;
        enum message_type type;
    } rows[] = {
        {"{\"type\":\"hello\",\"protocol\":1}", MESSAGE_HELLO},
        {"{\"type\":\"progress\",\"done\":1}", MESSAGE_PROGRESS},
        {"{\"type\":\"checkpoint\",\"data\":null}", MESSAGE_CHECKPOINT},
        {"{\"type\":\"cost\",\"usd\":0.5}", MESSAGE_COST},
        {"{\"type\":\"limit\"}", MESSAGE_LIMIT},
        {"{\"type\":\"spawn\",\"items\":[]}", MESSAGE_SPAWN},
        {"{\"type\":\"log\",\"text\":\"t\"}", MESSAGE_LOG},
        {"{\"type\":\"done\"}", MESSAGE_DONE},
        {"{\"type\":\"skip\"}", MESSAGE_SKIP},
        {"{\"type\":\"retry\"}", MESSAGE_RETRY},
        {"{\"type\":\"snooze\"}", MESSAGE_SNOOZE},
        {"{\"type\":\"fail\"}", MESSAGE_FAIL},
        {"{\"type\":\"wait\",\"items\":[{\"key\":\"a\"}]}", MESSAGE_WAIT},
        {"{\"type\":\"sing\",\"id\":\"x\"}", MESSAGE_UNKNOWN},
    };
    struct message m = MESSAGE_INIT;
    (void)state;
    assert_int_equal(COUNT_OF(rows), MESSAGE_TYPE_COUNT);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        parse(rows[i].line, &m);
        assert_int_equal(m.type, rows[i].type);
        assert_int_equal(message_is_outcome(m.type), m.type >= MESSAGE_DONE);
    }
    message_fini(&m);
}

static void test_raw_values_keep_their_digits(void **state)
{
    struct message m = MESSAGE_INIT;
    (void)state;
    parse(" { \"type\" : \"done\" , \"id\":7,\"result\": { \"n\": 12345678901234567890.10, "
          "\"s\":\" a \" } } ",
        &m);
    assert_true(m.has_id);
    assert_int_equal(m.id, 7);
    assert_string_equal(buf_str(&m.json), "{\"n\":12345678901234567890.10,\"s\":\" a \"}");
    parse("{\"type\":\"checkpoint\",\"\\u0064ata\":[1e3]}", &m);
    assert_false(m.has_id);
    assert_string_equal(buf_str(&m.json), "[1e3]");
    parse("{\"type\":\"done\"}", &m);
    assert_string_equal(buf_str(&m.json), "null");
    message_fini(&m);
}

static void test_members(void **state)
{
    struct message m = MESSAGE_INIT;
    (void)state;
    parse("{\"type\":\"progress\",\"total\":9,\"done\":3,\"key\":\"k\"}", &m);
    assert_string_equal(buf_str(&m.json), "{\"done\":3,\"total\":9}");
    assert_true(m.has_key);
    assert_string_equal(buf_str(&m.key), "k");
    parse("{\"type\":\"cost\",\"usd\":0.25,\"tokens\":1200,\"of\":\"gpt\"}", &m);
    assert_true(m.cost_usd == 0.25);
    assert_int_equal(m.tokens, 1200);
    assert_string_equal(buf_str(&m.text), "gpt");
    assert_false(m.has_key);
    parse("{\"type\":\"limit\",\"resource\":\"github\",\"key\":\"o\",\"retry_after\":1.5}", &m);
    assert_string_equal(buf_str(&m.text), "github");
    assert_int_equal(m.after_ms, 1500);
    parse("{\"type\":\"snooze\",\"why\":\"later\",\"after\":\"10m\"}", &m);
    assert_int_equal(m.after_ms, 600000);
    assert_string_equal(buf_str(&m.text), "later");
    parse("{\"type\":\"retry\",\"after\":null}", &m);
    assert_int_equal(m.after_ms, -1);
    parse("{\"type\":\"log\",\"level\":\"error\",\"text\":\"x\"}", &m);
    assert_int_equal(m.level, MESSAGE_ERROR);
    parse("{\"type\":\"wait\",\"items\":[{\"key\":\"a\"}],\"on_failure\":\"continue\"}", &m);
    assert_true(m.continues);
    parse("{\"type\":\"hello\",\"protocol\":1,\"version\":\"v2\"}", &m);
    assert_int_equal(m.protocol, 1);
    assert_string_equal(buf_str(&m.text), "v2");
    message_fini(&m);
}

static void test_items(void **state)
{
    struct message m = MESSAGE_INIT;
    (void)state;
    parse("{\"type\":\"spawn\",\"items\":[ {\"key\":\"a\",\"data\":{\"x\": [1, \"]\"]}} , "
          "{\"job\":\"j\",\"key\":17,\"priority\":-5,\"data\":null}]}",
        &m);
    assert_int_equal(m.items_len, 2);
    assert_null(m.items[0].job);
    assert_string_equal(m.items[0].key, "a");
    assert_string_equal(m.items[0].data, "{\"x\":[1,\"]\"]}");
    assert_false(m.items[0].has_priority);
    assert_string_equal(m.items[1].job, "j");
    assert_string_equal(m.items[1].key, "17");
    assert_null(m.items[1].data);
    assert_int_equal(m.items[1].priority, -5);
    parse("{\"type\":\"spawn\",\"items\":[]}", &m);
    assert_int_equal(m.items_len, 0);
    message_fini(&m);
}

static void test_what_breaks_it(void **state)
{
    static const struct {
        const char *line, *why;
        size_t column; /* 0: not looked at */
    } rows[] = {
        {"{\"type\":\"done\"", "not valid JSON", 0},
        {"done", "not valid JSON", 1},
        {"{'type':'done'}", "not valid JSON", 2},
        {"{type:\"done\"}", "not valid JSON", 2},
        {"{\"type\":\"done\",\"result\":True}", "invalid token", 25},
        {"{\"type\":\"done\" \"result\":1}", "expected", 16},
        {"{\"type\":\"done\",}", "not valid JSON", 16},
        {"[1]", "not a JSON object", 0},
        {"7", "not a JSON object", 0},
        {"{\"typ\":\"done\"}", "without \"type\"", 0},
        {"{\"type\":1}", "\"type\" of unknown must be a string", 9},
        {"{\"type\":\"done\",\"type\":\"done\"}", "duplicate", 16},
        {"{\"type\":\"done\",\"id\":\"7\"}", "\"id\" of done must be", 21},
        {"{\"type\":\"done\",\"id\":1.5}", "\"id\" of done must be", 0},
        {"{\"type\":\"done\",\"id\":-1}", "\"id\" of done must be", 0},
        {"{\"type\":\"done\",\"key\":1}", "\"key\" of done must be a string", 0},
        {"{\"type\":\"hello\"}", "hello without \"protocol\"", 0},
        {"{\"type\":\"hello\",\"protocol\":\"1\"}", "whole number", 28},
        {"{\"type\":\"progress\"}", "progress without \"done\"", 0},
        {"{\"type\":\"progress\",\"done\":-1}", "whole number from 0", 27},
        {"{\"type\":\"progress\",\"done\":1.5}", "whole number from 0", 0},
        {"{\"type\":\"progress\",\"total\":1e300}", "whole number from 0", 0},
        {"{\"type\":\"checkpoint\"}", "checkpoint without \"data\"", 0},
        {"{\"type\":\"cost\"}", "cost without \"usd\" or \"tokens\"", 0},
        {"{\"type\":\"cost\",\"usd\":-1}", "number from 0", 0},
        {"{\"type\":\"cost\",\"usd\":\"1\"}", "number from 0", 0},
        {"{\"type\":\"cost\",\"tokens\":\"1\"}", "whole number", 0},
        {"{\"type\":\"limit\",\"retry_after\":\"soon\"}", "seconds, or text", 0},
        {"{\"type\":\"limit\",\"retry_after\":-1}", "seconds, or text", 0},
        {"{\"type\":\"limit\",\"resource\":\"a b\"}", "no name of a resource", 0},
        {"{\"type\":\"log\"}", "log without \"text\"", 0},
        {"{\"type\":\"log\",\"text\":\"a\",\"level\":\"loud\"}", "debug, info", 0},
        {"{\"type\":\"retry\",\"after\":true}", "seconds, or text", 0},
        {"{\"type\":\"fail\",\"why\":{}}", "\"why\" of fail must be a string", 0},
        {"{\"type\":\"spawn\"}", "spawn without \"items\"", 0},
        {"{\"type\":\"spawn\",\"items\":{}}", "must be an array", 0},
        {"{\"type\":\"spawn\",\"items\":[1]}", "item 1 of spawn: must be an object", 0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"a\"},{}]}",
            "item 2 of spawn: \"key\" is missing", 38},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"\"}]}", "1 to 512 bytes", 0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"a\\n\"}]}", "control", 0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"a\",\"job\":\"@discover\"}]}", "name of a job",
            0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"a\",\"priority\":0.5}]}", "priority", 0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":\"a\",\"priority\":1000001}]}", "priority", 0},
        {"{\"type\":\"spawn\",\"items\":[{\"key\":true}]}", "a string or a whole number", 26},
        {"{\"type\":\"progress\"}", "\"done\", \"failed\" or \"total\"", 0},
        {"{\"type\":\"wait\"}", "wait without \"items\"", 0},
        {"{\"type\":\"wait\",\"items\":[]}", "at least one item to wait for", 24},
        {"{\"type\":\"wait\",\"items\":[],\"on_failure\":\"stop\"}", "fail or continue", 0},
        {"{\"type\":\"done\",\"result\":\"\xff\"}", "not valid JSON", 0},
        {"{\"type\":\"done\",\"result\":\"\\u0000\"}", "not valid JSON", 0},
    };
    struct message m = MESSAGE_INIT;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err err = {""};
        size_t column = 0;
        enum rc rc = message_parse(rows[i].line, strlen(rows[i].line), &m, &column, &err);
        if (rc != RC_PROTO || !strstr(err.text, rows[i].why) ||
            (rows[i].column && column != rows[i].column))
            fail_msg("%s: %d, column %zu: %s", rows[i].line, (int)rc, column, err.text);
    }
    message_fini(&m);
}

static void test_too_deep(void **state)
{
    struct message m = MESSAGE_INIT;
    struct buf line = BUF_INIT;
    struct err err = {""};
    (void)state;
    buf_adds(&line, "{\"type\":\"done\",\"result\":");
    for (int i = 0; i < 2020; i++)
        buf_addc(&line, '[');
    for (int i = 0; i < 2020; i++)
        buf_addc(&line, ']');
    buf_addc(&line, '}');
    assert_int_equal(message_parse(line.data, line.len, &m, NULL, &err), RC_PROTO);
    assert_non_null(strstr(err.text, "deep"));
    buf_fini(&line);
    message_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type_is_told),
        cmocka_unit_test(test_raw_values_keep_their_digits),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_what_breaks_it),
        cmocka_unit_test(test_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
