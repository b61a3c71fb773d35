/* Exchanges of several: claims of one lane, outcomes together, suspects alone. */
#include "tests/store/fixture.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/ipc/claim.h"

/* Up to n runs of either stage; a's room, b's room. */
static struct wish wish_for(struct fixture *f, size_t n, const uint32_t rooms[2], int64_t ids[2])
{
    struct wish wish = {.stage_ids = ids,
        .rooms = rooms,
        .stages_len = 2,
        .claim = claim_make(f->life, f->seq + 1),
        .claims_len = n};
    ids[0] = stage(f, "a")->id;
    ids[1] = stage(f, "b")->id;
    f->seq += (uint32_t)n;
    return wish;
}

static struct exchange_answer claim_many(struct fixture *f, size_t n, uint32_t a, uint32_t b)
{
    uint32_t rooms[2] = {a, b};
    int64_t ids[2];
    struct wish wish = wish_for(f, n, rooms, ids);
    struct exchange x = {NULL, 0, &wish, 0, NULL};
    struct exchange_answer answer;
    ok(f, store_exchange(f->store, &x, &answer, &f->err));
    return answer;
}

static void add_many(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        CLEANUP_FREE char *key = xasprintf("k%02d", i);
        add(f, key);
    }
}

#define MANY 5
struct many {
    struct outcome list[MANY];
    const struct outcome *pointers[MANY];
};

static void outcomes_of(
    struct fixture *f, const struct exchange_answer *answer, enum end_cause cause, struct many *ret)
{
    assert_true(answer->runs_len <= MANY);
    for (size_t i = 0; i < answer->runs_len; i++) {
        ret->list[i] = outcome_of(f, &answer->runs[i], cause);
        ret->pointers[i] = &ret->list[i];
    }
}

static int64_t held(struct fixture *f)
{
    return sql_int(f, "SELECT count(*) FROM item_stages WHERE status = 'in_progress'");
}

static void test_claims_of_one_lane(void **state)
{
    struct fixture *f = *state;
    add_many(f, 7);
    start_pool(f);
    CLEANUP(exchange_answer_fini) struct exchange_answer none = claim_many(f, 5, 0, 5);
    assert_int_equal(none.runs_len, 0);
    CLEANUP(exchange_answer_fini) struct exchange_answer some = claim_many(f, 5, 2, 5);
    assert_int_equal(some.runs_len, 2);
    CLEANUP(exchange_answer_fini) struct exchange_answer more = claim_many(f, 5, 9, 0);
    assert_int_equal(more.runs_len, 5);
    for (size_t i = 0; i < 5; i++) {
        CLEANUP_FREE char *key = xasprintf("k%02zu", i + 2);
        assert_string_equal(more.runs[i].key, key);
        assert_int_equal(more.runs[i].claim, claim_make(f->life, f->seq - 4 + (uint32_t)i));
    }
    verify(f);
}

static void test_outcomes_and_claims_together(void **state)
{
    struct fixture *f = *state;
    add_many(f, 5);
    start_pool(f);
    CLEANUP(exchange_answer_fini) struct exchange_answer first = claim_many(f, 5, 5, 5);
    struct many done;
    uint32_t rooms[2] = {5, 5};
    int64_t ids[2];
    struct wish wish = wish_for(f, 2, rooms, ids);
    outcomes_of(f, &first, END_DONE, &done);
    struct exchange x = {done.pointers, 5, &wish, 0, NULL};
    CLEANUP(exchange_answer_fini) struct exchange_answer second = {.runs = NULL};
    ok(f, store_exchange(f->store, &x, &second, &f->err));
    assert_int_equal(second.runs_len, 2);
    assert_int_equal(second.claimable, 3); /* five followers, two of them ours */
    assert_string_equal(second.runs[1].inputs, "{\"a\":{\"ok\":true}}");
    wish.is_repeat = true; /* the answer was lost */
    CLEANUP(exchange_answer_fini) struct exchange_answer again = {.runs = NULL};
    ok(f, store_exchange(f->store, &x, &again, &f->err));
    assert_int_equal(again.runs_len, 2);
    assert_int_equal(again.runs[1].id, second.runs[1].id);
    assert_int_equal(held(f), 2);
    for (size_t i = 0; i < 5; i++)
        assert_false(again.is_lost[i]);
    verify(f);
}

/* Nothing is written while one of them cannot be; the others do not suffer by it. */
static void test_a_bad_result_names_itself(void **state)
{
    struct fixture *f = *state;
    add_many(f, 3);
    start_pool(f);
    CLEANUP(exchange_answer_fini) struct exchange_answer runs = claim_many(f, 3, 3, 3);
    struct many done;
    outcomes_of(f, &runs, END_DONE, &done);
    done.list[1].result = "{nope";
    struct exchange x = {done.pointers, 3, NULL, 0, NULL};
    struct exchange_answer answer;
    assert_int_equal(store_exchange(f->store, &x, &answer, &f->err), RC_INVALID);
    assert_int_equal(x.failed, 1);
    assert_int_equal(held(f), 3);
    done.list[1] = outcome_of(f, &runs.runs[1], END_FAIL);
    ok(f, store_exchange(f->store, &x, &answer, &f->err));
    exchange_answer_fini(&answer);
    assert_int_equal(held(f), 0);
    verify(f);
}

static void test_one_lost_claim_among_others(void **state)
{
    struct fixture *f = *state;
    add_many(f, 3);
    start_pool(f);
    CLEANUP(exchange_answer_fini) struct exchange_answer runs = claim_many(f, 3, 3, 3);
    struct many done;
    outcomes_of(f, &runs, END_DONE, &done);
    sql(f, "UPDATE item_stages SET status = 'cancelled', claim = NULL WHERE id ="
           " (SELECT max(id) FROM item_stages WHERE status = 'in_progress')");
    struct exchange x = {done.pointers, 3, NULL, 0, NULL};
    CLEANUP(exchange_answer_fini) struct exchange_answer answer = {.runs = NULL};
    ok(f, store_exchange(f->store, &x, &answer, &f->err));
    assert_false(answer.is_lost[0] || answer.is_lost[1]);
    assert_true(answer.is_lost[2]);
    assert_int_equal(answer.claimable, 2);
    verify(f);
}

static void test_suspects_come_alone(void **state)
{
    struct fixture *f = *state;
    add_many(f, 4);
    start_pool(f);
    CLEANUP(exchange_answer_fini) struct exchange_answer first = claim_many(f, 2, 2, 2);
    struct many crashed;
    outcomes_of(f, &first, END_CRASHED, &crashed);
    struct exchange x = {crashed.pointers, 2, NULL, 0, NULL};
    CLEANUP(exchange_answer_fini) struct exchange_answer answer = {.runs = NULL};
    ok(f, store_exchange(f->store, &x, &answer, &f->err));
    assert_int_equal(sql_int(f, "SELECT sum(suspect) FROM item_stages"), 2);
    assert_int_equal(sql_int(f, "SELECT sum(attempts) FROM item_stages"), 0);
    assert_int_equal(sql_int(f, "SELECT sum(interruptions) FROM item_stages"), 2);
    CLEANUP(exchange_answer_fini) struct exchange_answer one = claim_many(f, 4, 4, 4);
    assert_int_equal(one.runs_len, 1);
    assert_true(one.runs[0].state.is_suspect);
    (void)end(f, &one.runs[0], END_STOPPED); /* nothing was tried: still suspect */
    CLEANUP(exchange_answer_fini) struct exchange_answer two = claim_many(f, 4, 4, 4);
    assert_int_equal(two.runs_len, 1);
    (void)end(f, &two.runs[0], END_DONE);
    CLEANUP(exchange_answer_fini) struct exchange_answer other = claim_many(f, 4, 4, 0);
    assert_int_equal(other.runs_len, 1);
    (void)end(f, &other.runs[0], END_DONE);
    assert_int_equal(sql_int(f, "SELECT sum(suspect) FROM item_stages"), 0);
    CLEANUP(exchange_answer_fini) struct exchange_answer rest = claim_many(f, 4, 4, 0);
    assert_int_equal(rest.runs_len, 2);
    verify(f);
}

/* Behind others it is not passed over, nor taken with them. */
static void test_a_suspect_ends_the_picking(void **state)
{
    struct fixture *f = *state;
    add_many(f, 4);
    start_pool(f);
    sql(f, "UPDATE item_stages SET suspect = 1 WHERE status = 'pending' AND item_id ="
           " (SELECT id FROM work_items WHERE item_key = 'k02')");
    CLEANUP(exchange_answer_fini) struct exchange_answer two = claim_many(f, 4, 4, 4);
    assert_int_equal(two.runs_len, 2);
    CLEANUP(exchange_answer_fini) struct exchange_answer one = claim_many(f, 4, 4, 4);
    assert_int_equal(one.runs_len, 1);
    assert_string_equal(one.runs[0].key, "k02");
}

/* A favoured lane goes first, until others have waited much longer. */
static void test_favour(void **state)
{
    struct fixture *f = *state;
    add_many(f, 3);
    start_pool(f);
    work_one(f); /* b of the first item is as old as a of the second, and comes first */
    uint32_t rooms[2] = {1, 1};
    int64_t ids[2];
    struct wish wish = wish_for(f, 1, rooms, ids);
    struct traded got = {0};
    wish.favoured = ids[0];
    ok(f, trade(f->store, NULL, &wish, &got, &f->err));
    assert_int_equal(got.run.stage_id, ids[0]);
    run_fini(&got.run);
    sql(f, "UPDATE item_stages SET rank = rank - 61000 WHERE status = 'pending' AND stage_id = 2");
    wish.claim++;
    ok(f, trade(f->store, NULL, &wish, &got, &f->err));
    assert_int_equal(got.run.stage_id, ids[1]);
    run_fini(&got.run);
}

static size_t claims_shared_by(struct fixture *f, uint32_t sharers)
{
    uint32_t rooms[2] = {5, 0};
    int64_t ids[2];
    struct wish wish = wish_for(f, 5, rooms, ids);
    struct exchange x = {NULL, 0, &wish, 0, NULL};
    struct exchange_answer answer;
    wish.sharers = sharers;
    wish.catalog = f->catalog;
    ok(f, store_exchange(f->store, &x, &answer, &f->err));
    size_t n = answer.runs_len;
    exchange_answer_fini(&answer);
    return n;
}

static void test_what_is_scarce_is_shared(void **state)
{
    struct fixture *f = *state;
    add_many(f, 24);
    assert_int_equal(claims_shared_by(f, 1), 5);
    assert_int_equal(claims_shared_by(f, 4), 4); /* of 19 */
    assert_int_equal(claims_shared_by(f, 3), 5); /* of 15 */
    assert_int_equal(claims_shared_by(f, 99), 1);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_claims_of_one_lane),
        T(test_outcomes_and_claims_together),
        T(test_a_bad_result_names_itself),
        T(test_one_lost_claim_among_others),
        T(test_suspects_come_alone),
        T(test_a_suspect_ends_the_picking),
        T(test_favour),
        T(test_what_is_scarce_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
