/* Which attempts a worker has, in what state each is, and which call each belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "worker/calls.h"
#include "worker/deck.h"

void run_fini(struct run *run)
{
    free(run->key);
    *run = (struct run){0};
}

static struct attempt *add(struct deck *d, const char *key)
{
    struct run run = {.id = 7, .key = xstrdup(key)};
    return deck_add(d, &run, NULL);
}

static void assert_counts(const struct deck *d, size_t claimed, size_t running, size_t concluded)
{
    assert_int_equal(d->counts[ATTEMPT_CLAIMED], claimed);
    assert_int_equal(d->counts[ATTEMPT_RUNNING], running);
    assert_int_equal(d->counts[ATTEMPT_CONCLUDED], concluded);
    assert_int_equal(deck_open(d), claimed + running);
}

static void test_states(void **state)
{
    struct deck d = {.list = NULL};
    (void)state;
    struct attempt *a = add(&d, "a"), *b = add(&d, "b"), *c = add(&d, "c");
    assert_counts(&d, 3, 0, 0);
    assert_ptr_equal(deck_first(&d, ATTEMPT_CLAIMED), a);
    assert_null(deck_first(&d, ATTEMPT_RUNNING));
    deck_start(&d, a);
    deck_start(&d, b);
    assert_ptr_equal(deck_first(&d, ATTEMPT_CLAIMED), c);
    assert_int_equal(d.concluded_mono_ns, 0);
    deck_conclude(&d, b, END_DONE);
    assert_counts(&d, 1, 1, 1);
    assert_true(d.concluded_mono_ns > 0);
    deck_give_back(&d);
    assert_int_equal(c->outcome.cause, END_STOPPED);
    assert_counts(&d, 0, 1, 2);
    b->is_held_back = true;
    deck_drop_handed_over(&d);
    assert_counts(&d, 0, 1, 1);
    assert_int_equal(d.len, 2);
    assert_true(d.concluded_mono_ns > 0);
    b->is_held_back = false;
    deck_drop_handed_over(&d);
    assert_counts(&d, 0, 1, 0);
    assert_int_equal(d.concluded_mono_ns, 0);
    assert_ptr_equal(d.list[0], a); /* where it was: calls know it by its place in memory */
    deck_fini(&d);
}

static struct attempt **array(struct attempt *one, struct attempt *two)
{
    struct attempt **items = xcalloc(2, sizeof(struct attempt *));
    items[0] = one;
    items[1] = two;
    return items;
}

static void test_calls(void **state)
{
    struct deck d = {.list = NULL};
    struct calls calls = {.list = NULL};
    (void)state;
    struct attempt *a = add(&d, "a"), *b = add(&d, "b"), *c = add(&d, "c");
    calls_add(&calls, 1, array(a, b), 2)->due_mono_ns = 20;
    calls_add(&calls, 2, array(c, NULL), 1)->due_mono_ns = 10;
    assert_int_equal(calls.open, 3);
    assert_null(calls_find(&calls, 3));
    assert_int_equal(calls_first_due(&calls)->id, 2);
    struct call *pair = calls_find(&calls, 1);
    assert_null(call_item(pair, NULL)); /* of several, which? */
    assert_null(call_item(pair, "c"));
    assert_ptr_equal(*call_item(pair, "b"), b);
    assert_false(calls_close(&calls, pair, call_item(pair, "b")));
    assert_null(call_item(pair, "b")); /* has its outcome */
    struct call *single = calls_find(&calls, 2);
    assert_ptr_equal(*call_item(single, NULL), c);
    assert_true(calls_close(&calls, single, call_item(single, NULL)));
    assert_null(calls_find(&calls, 2));
    pair = calls_find(&calls, 1);
    assert_true(calls_close(&calls, pair, call_item(pair, "a")));
    assert_int_equal(calls.open, 0);
    assert_int_equal(calls.len, 0);
    assert_null(calls_first_due(&calls));
    calls_add(&calls, 4, array(a, b), 2);
    calls_fini(&calls);
    deck_fini(&d);
}

static void test_start_call(void **state)
{
    struct deck d = {.list = NULL};
    size_t len = 0;
    (void)state;
    struct attempt *a = add(&d, "a"), *b = add(&d, "b"), *c = add(&d, "c"), *e = add(&d, "e");
    c->run.state.is_suspect = true;
    struct attempt **items = deck_start_call(&d, 10, &len);
    assert_int_equal(len, 2); /* up to the one that must be alone */
    assert_ptr_equal(items[0], a);
    assert_ptr_equal(items[1], b);
    assert_counts(&d, 2, 2, 0);
    free(items);
    items = deck_start_call(&d, 10, &len);
    assert_int_equal(len, 1);
    assert_ptr_equal(items[0], c);
    free(items);
    items = deck_start_call(&d, 1, &len);
    assert_int_equal(len, 1);
    assert_ptr_equal(items[0], e);
    free(items);
    deck_fini(&d);
}

/* Of whom a message speaks: KEY NULL: it names none. */
static struct attempt *about(const struct call *call, enum message_type type, const char *key)
{
    struct message m = {.type = type, .has_key = key != NULL};
    buf_adds(&m.key, key != NULL ? key : "");
    struct attempt **item = call_about(call, &m);
    buf_fini(&m.key);
    return item != NULL ? *item : NULL;
}

static void test_about(void **state)
{
    struct deck d = {.list = NULL};
    (void)state;
    struct attempt *a = add(&d, "a"), *b = add(&d, "b"), *c = add(&d, "c");
    struct attempt *items[] = {NULL, b, c}, *one[] = {a};
    const struct call call = {.items = items, .len = 3}, single = {.items = one, .len = 1};
    assert_ptr_equal(about(&call, MESSAGE_PROGRESS, "c"), c);
    assert_null(about(&call, MESSAGE_PROGRESS, "a")); /* has its outcome */
    assert_null(about(&call, MESSAGE_PROGRESS, NULL));
    assert_null(about(&call, MESSAGE_COST, "elsewhere"));
    assert_ptr_equal(about(&call, MESSAGE_COST, "c"), c);
    assert_ptr_equal(about(&call, MESSAGE_COST, NULL), b);
    assert_ptr_equal(about(&call, MESSAGE_LOG, NULL), b);
    assert_ptr_equal(about(&call, MESSAGE_LIMIT, NULL), b);
    assert_ptr_equal(about(&call, MESSAGE_LIMIT, "c"), b); /* a key of its resource */
    assert_ptr_equal(about(&single, MESSAGE_PROGRESS, NULL), a);
    assert_ptr_equal(about(&single, MESSAGE_LIMIT, "c"), a);
    deck_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_start_call),
        cmocka_unit_test(test_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
