/* When everything is at rest, and which changes of the backlog are worth a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "supervisor/keeper/policy.h"

static void test_rest(void **state)
{
    static const struct {
        const char *what;
        struct rest rest;
        bool is_at_rest;
    } rows[] = {
        {"nothing at all", {0}, true},
        {"only undone ends", {.undone = 7}, true},
        {"pending", {.moving = 1, .claimable = 1, .undone = 1}, false},
        {"running", {.moving = 1, .running = 1, .undone = 1}, false},
        {"waits for its retry", {.moving = 1, .undone = 1}, false},
        {"all that moves is paused", {.moving = 3, .paused = 3, .undone = 3}, true},
        {"paused and a retry elsewhere", {.moving = 3, .paused = 2, .undone = 3}, false},
        {"paused and running", {.moving = 3, .paused = 2, .running = 1}, false},
        {"inbox not yet admitted", {.moving = 1}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (policy_is_at_rest(&rows[i].rest) != rows[i].is_at_rest)
            fail_msg("%s: at rest is not %d", rows[i].what, rows[i].is_at_rest);
}

static void test_backlog(void **state)
{
    static const struct {
        int64_t told, now;
        bool is_notable;
    } rows[] = {
        {-1, 0, true},
        {0, 0, false},
        {0, 1, true},
        {1, 0, true},
        {1, 1, false},
        {1, 2, true},
        {100, 110, false},
        {100, 125, true},
        {100, 75, true},
        {100, 80, false},
        {100, 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (policy_is_backlog_notable(rows[i].told, rows[i].now) != rows[i].is_notable)
            fail_msg("%d to %d: notable is not %d", (int)rows[i].told, (int)rows[i].now,
                rows[i].is_notable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
