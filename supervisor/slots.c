#include "supervisor/slots.h"

#include <string.h>

#include "common/base/log.h"

const struct child_step child_steps[] = {
    {CHILD_EMPTY, EVENT_SPAWNED, CHILD_STARTING, ACT_NONE, "exec went through"},
    {CHILD_EMPTY, EVENT_SPAWN_FAILED, CHILD_THROTTLED, ACT_PAUSE, "the system refused a process"},
    {CHILD_EMPTY, EVENT_THROTTLE, CHILD_THROTTLED, ACT_PAUSE, "ended before it was ready"},
    {CHILD_THROTTLED, EVENT_PAUSE_OVER, CHILD_EMPTY, ACT_NONE, "may try again"},

    {CHILD_STARTING, EVENT_READY, CHILD_READY, ACT_PARDON, "first look for work done"},
    {CHILD_STARTING, EVENT_GOODBYE, CHILD_LEAVING, ACT_NONE, "retires by itself"},
    {CHILD_STARTING, EVENT_CONDEMNED, CHILD_DOOMED, ACT_KILL, "judged before it was ready"},
    {CHILD_STARTING, EVENT_ENDED, CHILD_SWEEPING, ACT_BURY, "ended before it was ready"},

    {CHILD_READY, EVENT_GOODBYE, CHILD_LEAVING, ACT_NONE, "retires by itself"},
    {CHILD_READY, EVENT_CONDEMNED, CHILD_DOOMED, ACT_KILL, "judged"},
    {CHILD_READY, EVENT_ENDED, CHILD_SWEEPING, ACT_BURY, "died"},

    {CHILD_LEAVING, EVENT_CONDEMNED, CHILD_DOOMED, ACT_KILL, "said goodbye but stayed"},
    {CHILD_LEAVING, EVENT_ENDED, CHILD_SWEEPING, ACT_BURY, "left"},

    {CHILD_DOOMED, EVENT_ENDED, CHILD_SWEEPING, ACT_BURY, "its end is confirmed"},

    {CHILD_SWEEPING, EVENT_TREE_GONE, CHILD_SETTLING, ACT_SETTLE, "no handler of it is left"},

    {CHILD_SETTLING, EVENT_SETTLED, CHILD_EMPTY, ACT_CLOSE, "its claims are settled"},
};
const size_t child_steps_len = sizeof child_steps / sizeof child_steps[0];

#define BIT(event) (1u << EVENT_##event)
#define OF_A_PLACE (BIT(SPAWNED) | BIT(SPAWN_FAILED) | BIT(THROTTLE))
#define OF_A_LIFE (BIT(READY) | BIT(GOODBYE) | BIT(CONDEMNED) | BIT(ENDED))
#define OF_AN_END (BIT(TREE_GONE) | BIT(SETTLED))

const uint32_t child_ignores[CHILD_STATE_COUNT] = {
    [CHILD_EMPTY] = OF_A_LIFE | OF_AN_END | BIT(PAUSE_OVER),
    [CHILD_THROTTLED] = OF_A_PLACE | OF_A_LIFE | OF_AN_END,
    [CHILD_STARTING] = OF_A_PLACE | OF_AN_END | BIT(PAUSE_OVER),
    [CHILD_READY] = OF_A_PLACE | OF_AN_END | BIT(PAUSE_OVER) | BIT(READY),
    [CHILD_LEAVING] = OF_A_PLACE | OF_AN_END | BIT(PAUSE_OVER) | BIT(READY) | BIT(GOODBYE),
    [CHILD_DOOMED] =
        OF_A_PLACE | OF_AN_END | BIT(PAUSE_OVER) | BIT(READY) | BIT(GOODBYE) | BIT(CONDEMNED),
    [CHILD_SWEEPING] = OF_A_PLACE | OF_A_LIFE | BIT(PAUSE_OVER) | BIT(SETTLED),
    [CHILD_SETTLING] = OF_A_PLACE | OF_A_LIFE | BIT(PAUSE_OVER) | BIT(TREE_GONE),
};

void child_init(struct child *c, uint32_t slot)
{
    memset(c, 0, sizeof *c);
    c->slot = slot;
    c->beat_fd = -1;
    c->wake_fd = -1;
}

void child_reset(struct child *c)
{
    enum child_state state = c->state;
    int64_t pause_ms = c->pause_ms;

    child_init(c, c->slot);
    c->state = state;
    c->pause_ms = pause_ms;
}

bool child_is_alive(const struct child *c)
{
    return c->pid > 0;
}

const struct child_step *child_find_step(enum child_state from, enum child_event event)
{
    for (size_t i = 0; i < child_steps_len; i++) {
        if (child_steps[i].from == from && child_steps[i].event == event)
            return &child_steps[i];
    }
    return NULL;
}

static void log_step(const struct child *c, const struct child_step *step)
{
    struct logline l;

    log_begin(&l, LOG_LEVEL_DEBUG, child_is_keeper(c) ? "keeper.step" : "worker.step");
    if (!child_is_keeper(c))
        log_int(&l, "slot", c->slot);
    log_int(&l, "child_pid", c->pid);
    log_int(&l, "life", c->life);
    log_str(&l, "from", child_state_name(step->from));
    log_str(&l, "on", child_event_name(step->event));
    log_str(&l, "to", child_state_name(step->to));
    log_str(&l, "why", step->why);
    log_end(&l);
}

enum child_action child_step(struct child *c, enum child_event event)
{
    const struct child_step *step = child_find_step(c->state, event);

    if (step == NULL)
        return ACT_NONE;
    log_step(c, step);
    c->state = step->to;
    return step->action;
}

const char *child_state_name(enum child_state state)
{
#define STATE_NAME(upper, lower) [CHILD_##upper] = #lower,
    static const char *const names[] = {CHILD_STATES(STATE_NAME)};
#undef STATE_NAME
    return names[state];
}

const char *child_event_name(enum child_event event)
{
#define EVENT_NAME(upper, lower) [EVENT_##upper] = #lower,
    static const char *const names[] = {CHILD_EVENTS(EVENT_NAME)};
#undef EVENT_NAME
    return names[event];
}
