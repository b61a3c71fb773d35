/* Which versions of SQLite have the WAL-reset bug: 3.7.0 to 3.51.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/doctor.h"

static void test_versions(void **state)
{
    static const struct {
        const char *version;
        bool is_fixed;
    } table[] = {{"3.6.23", true}, {"3.7.0", false}, {"3.7.0.1", false}, {"3.40.1", false},
        {"3.51", false}, {"3.51.2", false}, {"3.51.3", true}, {"3.52.0", true}, {"4.0.0", true},
        {"3.5.9", true}, {"", false}, {"x", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (sqlite_is_fixed(table[i].version) != table[i].is_fixed)
            fail_msg("%s", table[i].version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
