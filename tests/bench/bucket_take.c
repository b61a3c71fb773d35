/* What one token costs: ns a take, by as many processes as argv[1] says, on one bucket that is
 * never empty. Prints one number: the mean over the processes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ipc/bucket.h"

enum { TAKES = 1000000, PROCESSES_MAX = 64 };

struct shared {
    struct bucket places[BUCKETS_MAX];
    _Atomic int64_t ns;
};

static int64_t measure(const struct bucket_ref *ref)
{
    int64_t before = clock_mono_ns(), at, missed = 0;
    for (int i = 0; i < TAKES; i++)
        missed += !bucket_is_open(ref, INT64_MAX, &at) || !bucket_take(ref, at);
    if (missed > 0)
        (void)fprintf(stderr, "%" PRId64 " takes failed\n", missed);
    return clock_mono_ns() - before;
}

int main(int argc, char **argv)
{
    int processes = argc > 1 ? atoi(argv[1]) : 1;
    struct bucket_rate rate = {1, INT64_C(1) << 40};
    struct bucket_ref ref;
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED || processes < 1 || processes > PROCESSES_MAX)
        return 1;
    bucket_open(&s->places[0], 1, "b", &rate);
    bucket_set_level(&s->places[0], 1e12);
    if (!bucket_find(s->places, "b", &ref))
        return 1;
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            atomic_fetch_add(&s->ns, measure(&ref));
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    (void)printf("%.1f\n", (double)atomic_load(&s->ns) / processes / TAKES);
    return 0;
}
