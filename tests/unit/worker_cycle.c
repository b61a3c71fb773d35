/* The worker's main loop against a scripted store: what each exchange hands over and asks for, when
 * it is repeated, and when the worker leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"
#include "worker/accepted.h"
#include "worker/cycle.h"

/* One exchange: what is expected to come, what is answered, and what happens meanwhile. */
struct step {
    int cause; /* of the outcome; −1: none is expected */
    bool has_wish, is_repeat;
    uint32_t claim_seq;
    enum rc rc;
    int64_t run_id;
    int64_t claimable;
    uint32_t flags, order; /* set before the answer */
    bool is_spec_changed;  /* meanwhile a reload with another JobSpec is accepted */
};

static struct worker w;
static const struct step *script;
static size_t script_len, script_at;
static bool is_spec_changed; /* another JobSpec is accepted */

static char name[] = "n", empty[] = "";
static struct stage_spec stage_spec = {
    .name = name,
    .version = empty,
    .handler = {.kind = HANDLER_BUILTIN, .builtin = BUILTIN_NOOP},
    .tuning = {.timeout_ms = 60000, .grace_ms = 1000, .max_attempts = 5},
};
static struct job_spec job_spec = {.name = name, .stages = &stage_spec, .stages_len = 1};
static struct catalog_stage stage = {.id = 4, .spec = &stage_spec};
static struct catalog_job job = {.id = 1, .spec = &job_spec, .stages = &stage};
static int64_t stage_ids[] = {4};
static const struct catalog_stage *stages[] = {&stage};
static uint32_t rooms[1];

const struct catalog_stage *catalog_stage(const struct catalog *c, int64_t stage_id)
{
    (void)c;
    assert_int_equal(stage_id, 4);
    return &stage;
}

void accepted_renew(struct worker *worker)
{
    if (is_spec_changed)
        worker->life.is_outdated = true;
}

static struct lane_head head = {.id = 5, .rank = 1};

enum rc store_look_lanes(
    struct store *store, const int64_t *ids, size_t len, struct lane_head *ret, struct err *err)
{
    (void)store;
    (void)err;
    assert_int_equal(len, 1);
    assert_int_equal(ids[0], 4);
    ret[0] = head;
    return RC_OK;
}

enum rc store_claim_is_mine(struct store *store, const struct run *run, bool *ret, struct err *err)
{
    (void)store;
    (void)run;
    (void)err;
    *ret = true;
    return RC_OK;
}

void run_fini(struct run *run)
{
    free(run->key);
    *run = (struct run){0};
}

void exchange_answer_fini(struct exchange_answer *answer)
{
    for (size_t i = 0; i < answer->runs_len; i++)
        run_fini(&answer->runs[i]);
    free(answer->runs);
    free(answer->is_lost);
}

enum rc store_exchange(
    struct store *store, struct exchange *x, struct exchange_answer *ret, struct err *err)
{
    const struct outcome *outcome = x->outcomes_len > 0 ? x->outcomes[0] : NULL;
    const struct wish *wish = x->wish;
    (void)store;
    if (script_at >= script_len)
        fail_msg("an exchange too many");
    const struct step *step = &script[script_at++];
    assert_int_equal(outcome != NULL ? (int)outcome->cause : -1, step->cause);
    assert_int_equal(wish != NULL, step->has_wish);
    if (wish != NULL) {
        assert_int_equal(wish->claim, claim_make(12, step->claim_seq));
        assert_int_equal(wish->is_repeat, step->is_repeat);
        assert_int_equal(wish->stages_len, 1);
    }
    atomic_fetch_or(&w.life.mem->flags, step->flags);
    if (step->is_spec_changed) {
        is_spec_changed = true;
        atomic_store(&w.life.mem->spec_generation, 2);
    }
    if (step->flags != 0) /* as the supervisor does with each change */
        atomic_fetch_add(&w.life.mem->wake, 1);
    atomic_store(&w.life.slot->order, step->order);
    if (step->rc != RC_OK)
        return err_set(err, step->rc, "as scripted");
    *ret = (struct exchange_answer){.runs = xcalloc(1, sizeof(struct run)),
        .runs_len = step->run_id != 0,
        .is_lost = xcalloc(1, sizeof(bool)),
        .claimable = step->claimable};
    if (step->run_id != 0)
        ret->runs[0] = (struct run){
            .id = step->run_id, .stage_id = 4, .claim = wish->claim, .key = xstrdup("k")};
    return RC_OK;
}

static int setup(void **state)
{
    int fds[2], mem_fd;
    struct pool_mem *mem = NULL;
    (void)state;
    stage.job = &job;
    assert_int_equal(pool_mem_new(1, "1-2-test", &mem_fd, &mem, NULL), RC_OK);
    (void)close(mem_fd);
    for (int fd = 3; fd < 10; fd++) /* so that pipes do not lie where the numbers go */
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    assert_int_equal(dup2(fds[1], FD_HEARTBEAT), FD_HEARTBEAT);
    assert_int_equal(sys_pipe(fds, true, NULL), RC_OK);
    assert_int_equal(dup2(fds[0], FD_LIFELINE), FD_LIFELINE);
    is_spec_changed = false;
    w = (struct worker){.stage_ids = stage_ids, .stages = stages, .rooms = rooms, .stages_len = 1};
    resident_init(&w.resident);
    life_init(&w.life, mem, 0, 12, 10);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tokens_fini(&w.tokens);
    pool_mem_unmap(w.life.mem);
    return 0;
}

static void play(const struct step *steps, size_t len)
{
    struct err err;
    script = steps;
    script_len = len;
    script_at = 0;
    assert_int_equal(cycle_run(&w, &err), RC_OK);
    assert_int_equal(script_at, len);
}
#define PLAY(steps) play(steps, sizeof(steps) / sizeof((steps)[0]))

static void test_claim_run_exchange(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .run_id = 6, .claimable = 2},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    uint32_t before = atomic_load(&w.life.mem->wake);
    PLAY(steps);
    assert_true(w.life.is_ready);
    assert_int_equal(atomic_load(&w.life.mem->wake), before + 2); /* one for claimable runs */
}

static void test_failed_exchange_is_repeated_as_it_was(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .rc = RC_BUSY},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .rc = RC_STORE},
        {.cause = END_DONE,
            .has_wish = true,
            .claim_seq = 2,
            .is_repeat = true,
            .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

/* A number that was asked for under a failure is never asked for again to claim: nobody knows what
 * became of the first time. */
static void test_repeated_wish_that_got_nothing_takes_a_new_number(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

static void test_refused_result_is_a_failure(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .rc = RC_LIMIT},
        {.cause = END_FAIL, .has_wish = true, .claim_seq = 2, .flags = POOL_STOPPING},
    };
    (void)state;
    PLAY(steps);
}

static void test_claimed_while_stopping_is_given_back(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .flags = POOL_STOPPING},
        {.cause = END_STOPPED},
    };
    (void)state;
    PLAY(steps);
}

static void test_last_outcome_is_repeated_while_stopping(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .order = SLOT_ORDER_RETIRE},
        {.cause = END_STOPPED, .rc = RC_STORE, .order = SLOT_ORDER_RETIRE},
        {.cause = END_STOPPED, .order = SLOT_ORDER_RETIRE},
    };
    (void)state;
    PLAY(steps);
}

static void test_no_exchange_when_told_to_leave(void **state)
{
    (void)state;
    atomic_store(&w.life.mem->flags, POOL_STOPPING | POOL_SUSPENDED);
    play(NULL, 0);
}

static void test_outdated_life_finishes_what_it_has_and_leaves(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5, .is_spec_changed = true},
        {.cause = END_DONE},
    };
    (void)state;
    PLAY(steps);
}

static void test_no_wish_under_another_spec(void **state)
{
    (void)state;
    atomic_store(&w.life.mem->spec_generation, 2);
    assert_false(life_may_claim(&w.life));
    w.life.spec_generation = 2;
    assert_true(life_may_claim(&w.life));
}

static void test_life_ends_with_its_numbers(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = CLAIM_SEQ_MAX - 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = CLAIM_SEQ_MAX, .run_id = 6},
        {.cause = END_DONE},
    };
    (void)state;
    w.life.claim_seq = CLAIM_SEQ_MAX - 2;
    PLAY(steps);
}

/* The lane takes a token of one bucket, which has so many; the next is due in hours. */
static struct bucket_ref pace(double tokens)
{
    static char api[] = "api";
    static struct resource_spec resource = {.name = api};
    static struct config config = {.resources = &resource, .resources_len = 1};
    static struct catalog catalog = {.jobs = &job, .jobs_len = 1};
    struct bucket_rate rate = {.interval_ns = 3600 * NS_PER_S, .burst = 5};
    struct bucket_ref ref;
    stage_spec.tuning.resources_len = 1;
    bucket_open(&w.life.mem->buckets[9], 3, api, &rate);
    bucket_set_level(&w.life.mem->buckets[9], tokens);
    tokens_map(&w.tokens, &catalog, &config, w.life.mem);
    stage_spec.tuning.resources_len = 0;
    assert_true(bucket_find(w.life.mem->buckets, api, &ref));
    return ref;
}

static void test_a_wish_costs_a_token(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .run_id = 6},
        {.cause = END_DONE, .has_wish = false, .flags = POOL_STOPPING}, /* half a token is none */
    };
    (void)state;
    struct bucket_ref ref = pace(2.5);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 0.5, 0.01);
}

static void test_token_without_a_claim_comes_back(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 2, .is_repeat = true},
        {.cause = -1, .has_wish = true, .claim_seq = 3, .flags = POOL_STOPPING},
    };
    (void)state;
    struct bucket_ref ref = pace(1.5);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 1.5, 0.01);
}

static void test_claim_after_a_failure_costs_one_token(void **state)
{
    static const struct step steps[] = {
        {.cause = -1, .has_wish = true, .claim_seq = 1, .rc = RC_STORE},
        {.cause = -1, .has_wish = true, .claim_seq = 1, .is_repeat = true, .run_id = 5},
        {.cause = END_DONE, .has_wish = true, .claim_seq = 2, .flags = POOL_STOPPING},
    };
    (void)state;
    struct bucket_ref ref = pace(3);
    PLAY(steps);
    assert_float_equal(bucket_level(&ref), 2, 0.01);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_claim_run_exchange),
        TEST(test_failed_exchange_is_repeated_as_it_was),
        TEST(test_repeated_wish_that_got_nothing_takes_a_new_number),
        TEST(test_refused_result_is_a_failure),
        TEST(test_claimed_while_stopping_is_given_back),
        TEST(test_last_outcome_is_repeated_while_stopping),
        TEST(test_no_exchange_when_told_to_leave),
        TEST(test_life_ends_with_its_numbers),
        TEST(test_a_wish_costs_a_token),
        TEST(test_token_without_a_claim_comes_back),
        TEST(test_claim_after_a_failure_costs_one_token),
        TEST(test_outdated_life_finishes_what_it_has_and_leaves),
        TEST(test_no_wish_under_another_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
