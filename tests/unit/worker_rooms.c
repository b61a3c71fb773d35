/* How many runs of a lane a worker could take: by what its handler is, what it has in flight, how
 * quickly it answers, and by max_claim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "worker/rooms.h"

void run_fini(struct run *run)
{
    free(run->key);
    *run = (struct run){0};
}

bool resident_may_take(
    const struct resident *r, const struct catalog_stage *stage, int64_t now_mono_ns)
{
    (void)r;
    (void)stage;
    (void)now_mono_ns;
    return true;
}

struct room_case {
    enum handler_kind kind;
    int64_t concurrency, batch, max_claim;
    int64_t run_ns; /* 0: not known */
    int64_t work_ns, exchange_ns;
    size_t running, calls; /* in flight */
    size_t resources;
    uint32_t room;
};

static void check(const struct room_case *c)
{
    struct stage_spec spec = {.handler = {.kind = c->kind},
        .tuning = {.concurrency = c->concurrency,
            .batch = c->batch,
            .max_claim = c->max_claim,
            .resources_len = c->resources}};
    struct catalog_stage stage = {.id = 4, .spec = &spec};
    const struct catalog_stage *stages[] = {&stage};
    uint32_t rooms[1] = {99};
    struct pace paces[1] = {{c->run_ns, c->work_ns}};
    struct worker w = {.stages = stages, .rooms = rooms, .paces = paces, .stages_len = 1};
    w.exchange_ns = c->exchange_ns;
    w.resident.stage_id = 4;
    w.resident.run_ns = c->run_ns;
    w.resident.calls.len = c->calls;
    for (size_t i = 0; i < c->running; i++) {
        struct run run = {.id = 1, .stage_id = 4};
        struct attempt *a = deck_add(&w.deck, &run, NULL);
        a->stage = &stage;
        deck_start(&w.deck, a);
    }
    assert_int_equal(rooms_decide(&w), c->room > 0);
    assert_int_equal(rooms[0], c->room);
    deck_fini(&w.deck);
}

#define RESIDENT .kind = HANDLER_RESIDENT
#define EXEC .kind = HANDLER_EXEC, .concurrency = 1, .batch = 1

static const struct room_case cases[] = {
    {.kind = HANDLER_EXEC, .concurrency = 1, .batch = 1, .room = 1},
    {.kind = HANDLER_EXEC, .concurrency = 1, .batch = 1, .running = 1, .room = 0},
    /* one after the other: an exchange is a twentieth of the work, no more than 50 ms of it */
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS / 2, .room = 10},
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = 9 * NS_PER_MS, .room = 50},
    {EXEC, .run_ns = 5 * NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS, .room = 10},
    {EXEC, .run_ns = NS_PER_S, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS, .room = 1},
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = 1000, .room = 1},
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS, .max_claim = 3,
        .room = 3},
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS, .resources = 1,
        .room = 1},
    {EXEC, .run_ns = NS_PER_MS, .work_ns = NS_PER_MS, .exchange_ns = NS_PER_MS, .running = 1,
        .room = 0},
    {.kind = HANDLER_EXEC, .concurrency = 5, .batch = 10, .room = 10},
    {.kind = HANDLER_SHELL, .concurrency = 1, .batch = 10, .max_claim = 4, .room = 4},
    {.kind = HANDLER_EXEC, .concurrency = 1, .batch = 10, .running = 1, .room = 0},
    {.kind = HANDLER_BUILTIN, .concurrency = 1, .batch = 10, .room = 1}, /* the job's */
    {RESIDENT, .concurrency = 10, .batch = 1, .room = 10},
    {RESIDENT, .concurrency = 10, .batch = 1, .running = 4, .calls = 4, .room = 6},
    {RESIDENT, .concurrency = 2, .batch = 5, .running = 3, .calls = 1, .room = 5},
    /* quick ones get some more than they work on, whole calls of it */
    {RESIDENT, .concurrency = 1, .batch = 1, .run_ns = 1000, .running = 1, .calls = 1, .room = 127},
    {RESIDENT, .concurrency = 1, .batch = 10, .run_ns = NS_PER_MS / 10, .running = 3, .calls = 1,
        .room = 40},
    {RESIDENT, .concurrency = 1, .batch = 1, .run_ns = 1000, .resources = 1, .room = 1},
    /* max_claim: at once, ahead, in a batch; calls in flight are filled up all the same */
    {RESIDENT, .concurrency = 10, .batch = 1, .max_claim = 3, .room = 3},
    {RESIDENT, .concurrency = 10, .batch = 1, .max_claim = 3, .running = 3, .calls = 3, .room = 3},
    {RESIDENT, .concurrency = 10, .batch = 1, .max_claim = 3, .running = 9, .calls = 9, .room = 1},
    {RESIDENT, .concurrency = 1, .batch = 10, .max_claim = 4, .room = 4},
    {RESIDENT, .concurrency = 1, .batch = 1, .max_claim = 1, .run_ns = 1000, .room = 1},
    {RESIDENT, .concurrency = 1, .batch = 1, .max_claim = 1, .run_ns = 1000, .running = 1,
        .calls = 1, .room = 0},
    {RESIDENT, .concurrency = 1, .batch = 1, .max_claim = 8, .run_ns = 1000, .running = 1,
        .calls = 1, .room = 7},
};

static void test_rooms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rooms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
