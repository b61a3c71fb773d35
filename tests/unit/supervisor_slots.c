/* The state machine of a child: every state answers every event in exactly one way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/slots.h"

static void test_every_state_answers_every_event_once(void **state)
{
    (void)state;
    for (int from = 0; from < CHILD_STATE_COUNT; from++) {
        for (int event = 0; event < EVENT_COUNT; event++) {
            int answers = (child_ignores[from] >> event) & 1u;

            for (size_t i = 0; i < child_steps_len; i++)
                answers += (int)child_steps[i].from == from && (int)child_steps[i].event == event;
            if (answers != 1)
                fail_msg("%s on %s: %d answers", child_state_name(from), child_event_name(event),
                    answers);
        }
    }
}

static void test_rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < child_steps_len; i++) {
        assert_true(child_steps[i].to < CHILD_STATE_COUNT);
        assert_true(child_steps[i].action < ACT_COUNT);
        assert_true(strlen(child_steps[i].why) > 0);
    }
}

/* From everywhere there is a way back to empty, and every state can be reached from there. */
static void test_no_state_is_a_trap(void **state)
{
    uint32_t reached = 1u << CHILD_EMPTY, returns = 1u << CHILD_EMPTY;

    (void)state;
    for (int round = 0; round < CHILD_STATE_COUNT; round++) {
        for (size_t i = 0; i < child_steps_len; i++) {
            if ((reached >> child_steps[i].from) & 1u)
                reached |= 1u << child_steps[i].to;
            if ((returns >> child_steps[i].to) & 1u)
                returns |= 1u << child_steps[i].from;
        }
    }
    assert_int_equal(reached, (1u << CHILD_STATE_COUNT) - 1);
    assert_int_equal(returns, (1u << CHILD_STATE_COUNT) - 1);
}

static void test_a_life(void **state)
{
    struct child c;

    (void)state;
    child_init(&c, 3);
    assert_int_equal(child_step(&c, EVENT_SPAWNED), ACT_NONE);
    assert_int_equal(child_step(&c, EVENT_SPAWNED), ACT_NONE); /* ignored */
    assert_int_equal(c.state, CHILD_STARTING);
    assert_int_equal(child_step(&c, EVENT_READY), ACT_PARDON);
    assert_int_equal(child_step(&c, EVENT_CONDEMNED), ACT_KILL);
    assert_int_equal(child_step(&c, EVENT_CONDEMNED), ACT_NONE); /* killed once */
    assert_int_equal(child_step(&c, EVENT_SETTLED), ACT_NONE);   /* never before its end */
    assert_int_equal(c.state, CHILD_DOOMED);
    assert_int_equal(child_step(&c, EVENT_ENDED), ACT_BURY);
    assert_int_equal(child_step(&c, EVENT_SETTLED), ACT_NONE); /* never before its tree is gone */
    assert_int_equal(child_step(&c, EVENT_TREE_GONE), ACT_SETTLE);
    assert_int_equal(child_step(&c, EVENT_SETTLED), ACT_CLOSE);
    assert_int_equal(c.state, CHILD_EMPTY);
}

static void test_reset_keeps_the_throttle(void **state)
{
    struct child c;

    (void)state;
    child_init(&c, 3);
    c.state = CHILD_THROTTLED;
    c.pause_ms = 400;
    c.life = 9;
    c.said_goodbye = true;
    child_reset(&c);
    assert_int_equal(c.slot, 3);
    assert_int_equal(c.state, CHILD_THROTTLED);
    assert_int_equal(c.pause_ms, 400);
    assert_int_equal(c.life, 0);
    assert_false(c.said_goodbye);
    assert_int_equal(c.beat_fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_answers_every_event_once),
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_no_state_is_a_trap),
        cmocka_unit_test(test_a_life),
        cmocka_unit_test(test_reset_keeps_the_throttle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
