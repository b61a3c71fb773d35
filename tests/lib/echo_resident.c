/* echo-resident: the fastest resident there is: answers every request at once, understanding no
 * more than its id. With the argument "floor" it measures instead what a pipe costs: round trips of
 * a line of 400 bytes and an answer of 60 with a copy of itself, for a second; prints how many: on
 * one processor, and on two. For measuring and for tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 400, ANSWER_BYTES = 60 };

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

static int copy(int from, int to)
{
    while (read(from, in, sizeof(in)) > 0)
        if (write(to, out, ANSWER_BYTES) < 0)
            return 1;
    return 0;
}

static int measure(void)
{
    int there[2], back[2];
    long trips = 0;
    if (pipe(there) != 0 || pipe(back) != 0)
        return 1;
    if (fork() == 0) {
        (void)close(there[1]);
        return copy(there[0], back[1]);
    }
    for (double end = now_s() + 1; now_s() < end; trips++)
        if (write(there[1], in, REQUEST_BYTES) < 0 || read(back[0], out, sizeof(out)) <= 0)
            return 1;
    (void)printf("%ld\n", trips);
    return 0;
}

int main(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "floor") == 0 ? measure() : serve();
}
