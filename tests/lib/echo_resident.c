/* echo-resident: the fastest resident there is: answers every request at once, understanding no
 * more than its id. With "floor N free|same|apart" it measures instead what pipes cost: round trips
 * of a request and its answer with a copy of itself, N such pairs at once, for a second; prints how
 * many they made together. For measuring and for tests. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char in[1 << 20], out[1 << 20];

static size_t answer(const char *line, size_t at)
{
    const char *id = strstr(line, "\"id\":");
    long long number = id ? strtoll(id + 5, NULL, 10) : 0;
    return at + (size_t)snprintf(out + at, sizeof(out) - at,
                    "{\"type\":\"done\",\"id\":%lld,\"result\":%lld}\n", number, number);
}

static int serve(void)
{
    static const char hello[] = "{\"type\":\"hello\",\"protocol\":1}\n";
    size_t len = 0;
    ssize_t n;
    if (write(1, hello, sizeof(hello) - 1) < 0)
        return 1;
    while ((n = read(0, in + len, sizeof(in) - 1 - len)) > 0) {
        size_t used = 0, said = 0;
        char *end;
        len += (size_t)n;
        while ((end = memchr(in + used, '\n', len - used)) != NULL) {
            *end = '\0';
            said = answer(in + used, said);
            used = (size_t)(end - in) + 1;
        }
        memmove(in, in + used, len - used);
        len -= used;
        if (said > 0 && write(1, out, said) < 0)
            return 1;
    }
    return 0;
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "same": both on one processor; "apart": on two; else as the kernel likes. */
static void place(const char *where, int who)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(strcmp(where, "apart") == 0 ? who : 0, &set);
    if (strcmp(where, "free") != 0)
        (void)sched_setaffinity(0, sizeof(set), &set);
}

static int start_child(int *ret_to, int *ret_from, const char *where)
{
    int there[2], back[2];
    if (pipe(there) != 0 || pipe(back) != 0)
        return -1;
    int pid = fork();
    if (pid == 0) {
        place(where, 1);
        (void)dup2(there[0], 0);
        (void)dup2(back[1], 1);
        (void)close_range(3, ~0u, 0);
        _exit(serve());
    }
    (void)close(there[0]);
    (void)close(back[1]);
    *ret_to = there[1];
    *ret_from = back[0];
    return pid;
}

/* The next line, and nothing behind it: there is nothing. */
static int read_line(int fd)
{
    ssize_t n = 0, len = 0;
    while ((n = read(fd, in + len, sizeof(in) - (size_t)len)) > 0)
        if (in[(len += n) - 1] == '\n')
            return 0;
    return -1;
}

/* Round trips in a second: a request as stint writes it, one answer awaited. */
static long pair(const char *where)
{
    int to = -1, from = -1;
    long trips = 0;
    place(where, 0);
    if (start_child(&to, &from, where) < 0 || read_line(from) != 0)
        return -1;
    for (double end = now_s() + 1; now_s() < end; trips++) {
        int len = snprintf(out, sizeof(out),
            "{\"type\":\"run\",\"id\":%ld,\"job\":\"e\",\"stage\":\"e\",\"key\":\"k%ld\","
            "\"data\":{},\"attempt\":1,\"max_attempts\":5,\"checkpoint\":null,\"inputs\":{},"
            "\"waited\":[],\"claim\":\"12-%ld\",\"deadline_ms\":1800000,\"version\":\"\"}\n",
            trips, trips, trips);
        if (write(to, out, (size_t)len) != len || read_line(from) != 0)
            return -1;
    }
    return trips;
}

static int measure(int pairs, const char *where)
{
    int said[2];
    long trips, sum = 0;
    if (pipe(said) != 0)
        return 1;
    for (int i = 0; i < pairs; i++)
        if (fork() == 0) {
            trips = pair(where);
            _exit(write(said[1], &trips, sizeof(trips)) < 0);
        }
    for (int i = 0; i < pairs; i++) {
        if (read(said[0], &trips, sizeof(trips)) != sizeof(trips) || trips < 0)
            return 1;
        sum += trips;
    }
    (void)printf("%ld\n", sum);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "floor") == 0)
        return measure(atoi(argv[2]), argv[3]);
    return serve();
}
