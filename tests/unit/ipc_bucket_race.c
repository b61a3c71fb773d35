/* Eight processes take from one bucket, sleep at it and give back, while they are killed at any
 * instruction and garbage is written into the word: the moments of the tokens that were kept obey
 * the rate in every stretch of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/ipc/bucket.h"

enum { TAKERS = 8, TOKENS = 2000 };

struct shared {
    struct bucket places[BUCKETS_MAX];
    _Atomic uint32_t len; /* of the moments; futex: the parent waits for more */
    int64_t moments[TOKENS];
};

static struct shared *shared;
static struct bucket_ref ref;
static pid_t takers[TAKERS];

static void note(int64_t at)
{
    uint32_t place = atomic_fetch_add(&shared->len, 1);
    if (place < TOKENS)
        shared->moments[place] = at;
    sys_futex_wake(&shared->len, 1);
}

static void take_for_ever(void)
{
    for (uint32_t n = 0;; n++) {
        int64_t since = clock_mono_ns(), at;
        struct sys_futex bell = {&ref.bucket->bell, atomic_load(&ref.bucket->bell)};
        while (!bucket_is_open(&ref, since, &at))
            sys_futex_wait_any(&bell, 1, bucket_due_mono_ns(&ref, 1));
        if (!bucket_take(&ref, at))
            continue;
        if (n % 4 != 3) {
            note(at);
            continue;
        }
        /* Out for a while, in which others take: up to two intervals. */
        bell.seen = atomic_load(&ref.bucket->bell);
        sys_futex_wait_any(&bell, 1, at + n % 16 / 4 * atomic_load(&ref.bucket->interval_ns) / 2);
        bucket_give_back(&ref, at);
    }
}

static void start(int i)
{
    pid_t parent = getpid();
    takers[i] = fork();
    if (takers[i] != 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    take_for_ever();
}

static void end(int i)
{
    (void)kill(takers[i], SIGKILL);
    assert_int_equal(waitpid(takers[i], NULL, 0), takers[i]);
}

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void check_bound(const struct bucket_rate *rate, size_t len)
{
    qsort(shared->moments, len, sizeof shared->moments[0], by_time);
    for (size_t i = 0; i < len; i++) {
        if (shared->moments[i] == 0)
            continue; /* killed between its token and its note */
        for (size_t k = i + (size_t)rate->burst; k < len; k++) {
            int64_t spared = (int64_t)(k - i + 1) - rate->burst;
            if (shared->moments[k] - shared->moments[i] < spared * rate->interval_ns)
                fail_msg("%zu tokens in %lld ns, the burst is %lld", k - i + 1,
                    (long long)(shared->moments[k] - shared->moments[i]), (long long)rate->burst);
        }
    }
}

static void play(int64_t burst, bool has_garbage)
{
    struct bucket_rate rate = bucket_rate_of(10000, 1000, burst);
    shared->len = 0;
    memset(shared->moments, 0, sizeof shared->moments);
    bucket_open(&shared->places[0], 1, "api", &rate);
    assert_true(bucket_find(shared->places, "api", &ref));
    for (int i = 0; i < TAKERS; i++)
        start(i);
    for (int n = 0; atomic_load(&shared->len) < TOKENS; n++) {
        end(n % TAKERS);
        start(n % TAKERS);
        if (has_garbage && n % 4 == 0)
            atomic_store(&ref.bucket->tat_mono_ns, n % 8 == 0 ? INT64_MAX - n : -n);
        uint32_t len = atomic_load(&shared->len);
        sys_futex_wait(&shared->len, len, clock_mono_ns() + NS_PER_MS);
    }
    for (int i = 0; i < TAKERS; i++)
        end(i);
    check_bound(&rate, TOKENS);
}

static void test_bound_holds_while_takers_are_killed(void **state)
{
    (void)state;
    play(1, false);
    play(10, false);
    play(1000, false);
}

static void test_bound_holds_over_garbage(void **state)
{
    (void)state;
    play(1, true);
    play(10, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound_holds_while_takers_are_killed),
        cmocka_unit_test(test_bound_holds_over_garbage),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
