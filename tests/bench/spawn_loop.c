/* spawn-loop LOOPS RUNS PROGRAM: the floor under exec handlers: so many processes, each of which
 * runs the program again and again by posix_spawn and waitpid, RUNS times in all; prints how many a
 * second. For measuring. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int run(char *program, long times)
{
    char *const argv[] = {program, NULL};
    for (long i = 0; i < times; i++) {
        pid_t pid;
        int status;
        if (posix_spawn(&pid, program, NULL, NULL, argv, environ) != 0 ||
            waitpid(pid, &status, 0) != pid || status != 0)
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

int main(int argc, char **argv)
{
    long loops = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
    long runs = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    double before = now_s();
    int status, failed = 0;
    if (loops < 1 || runs < loops)
        return 2;
    for (long i = 0; i < loops; i++)
        if (fork() == 0)
            _exit(run(argv[3], runs / loops));
    while (wait(&status) > 0)
        failed += status != 0;
    (void)printf("%.0f\n", (double)(runs / loops * loops) / (now_s() - before));
    return failed > 0;
}
