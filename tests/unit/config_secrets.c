/* Secrets by their references: each of many is found, in whatever order they are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/config/secrets.h"

enum { MANY = 1000 };

static void are_there(const struct config_sources *sources)
{
    char reference[64];
    assert_int_equal(sources->secrets_len, MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(reference, sizeof(reference), "@file:/nowhere/%d", i);
        const struct config_secret *secret = secret_find(sources, reference);
        assert_non_null(secret);
        assert_string_equal(secret->reference, reference);
        assert_non_null(secret->error);
    }
    assert_null(secret_find(sources, "@file:/nowhere/none"));
    assert_null(secret_find(sources, ""));
}

static void each_of_many_is_found(void **state)
{
    (void)state;
    CLEANUP(buf_fini) struct buf text = BUF_INIT, packed = BUF_INIT;
    CLEANUP(config_sources_fini) struct config_sources s = {0}, out = {0};
    struct err err = {""};
    buf_adds(&text, "[job j]\nhandler = builtin noop\n");
    for (int i = 0; i < 2 * MANY; i++) /* each is named twice */
        buf_addf(&text, "env.V%d = @file:/nowhere/%d\n", i, i * 7 % MANY);
    s.directory = xstrdup("/nowhere");
    s.list = xcalloc(1, sizeof(*s.list));
    s.len = 1;
    s.list[0].name = xstrdup("stint.conf");
    s.list[0].text = buf_take(&text);
    secrets_read(&s);
    are_there(&s);
    config_sources_pack(&s, &packed);
    assert_int_equal(config_sources_unpack(buf_str(&packed), packed.len, &out, &err), RC_OK);
    are_there(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_of_many_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
