/* test_handler: the handler of the tests: appends one line at its begin and one at its end to a
 * ledger file, each with one O_APPEND write, works for some milliseconds between, and prints a JSON
 * result. Run by stint-worker as `exec test-handler FILE MILLISECONDS`. What an item's key ends in
 * decides what stage "b" does with it: -retry (exit 75 at the first attempt), -fail (exit 65),
 * -skip (exit 99). In every stage -orphan leaves a grandchild behind, in its own session, deaf to
 * TERM, holding stdout and stderr open, that appends "alive" lines until it is killed; -note says
 * progress, a checkpoint and a cost over descriptor 3. It reads neither its input nor any
 * configuration. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct about {
    const char *item, *stage, *claim, *attempt;
};

static const char *value_of(char **envp, const char *name)
{
    size_t len = strlen(name);

    for (; *envp != NULL; envp++)
        if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
            return *envp + len + 1;
    return "";
}

static int append(int fd, const char *what, const struct about *about, int status)
{
    char line[1024];
    struct timespec now;
    int len;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    len = snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%lld\n", what, about->item,
        about->stage, about->claim, about->attempt, (int)getpid(), status,
        (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    if (len < 0 || (size_t)len >= sizeof(line))
        return 70;
    return write(fd, line, (size_t)len) == (ssize_t)len ? 0 : 70;
}

static void work(long ms)
{
    struct timespec left = {ms / 1000, (ms % 1000) * 1000000L};

    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        ;
}

#define ORPHAN_LINES 30000 /* a minute: then it ends by itself, in case nobody kills it */

static void live_on(int fd, const struct about *about)
{
    (void)setsid();
    (void)signal(SIGTERM, SIG_IGN);
    if (fork() == 0)
        for (int i = 0; i < ORPHAN_LINES && append(fd, "alive", about, 0) == 0; i++)
            work(2);
    _exit(0);
}

static int ends_in(const char *text, const char *tail)
{
    size_t len = strlen(text), tail_len = strlen(tail);

    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

static int decide(const struct about *about)
{
    if (strcmp(about->stage, "b") != 0)
        return 0;
    if (ends_in(about->item, "-retry") && strcmp(about->attempt, "1") == 0)
        return 75;
    if (ends_in(about->item, "-fail"))
        return 65;
    return ends_in(about->item, "-skip") ? 99 : 0;
}

static void note(void)
{
    static const char said[] = "{\"type\":\"progress\",\"done\":1}\n"
                               "{\"type\":\"checkpoint\",\"data\":{\"at\":1}}\n"
                               "{\"type\":\"cost\",\"usd\":0.5}\n";

    (void)!write(3, said, sizeof(said) - 1);
}

int main(int argc, char **argv, char **envp)
{
    struct about about = {value_of(envp, "STINT_ITEM"), value_of(envp, "STINT_STAGE"),
        value_of(envp, "STINT_CLAIM"), value_of(envp, "STINT_ATTEMPT")};
    int status = decide(&about);
    int fd;

    if (argc != 3)
        return 64;
    fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || append(fd, "begin", &about, 0) != 0)
        return 70;
    if (ends_in(about.item, "-orphan") && fork() == 0)
        live_on(fd, &about);
    if (ends_in(about.item, "-note"))
        note();
    work(strtol(argv[2], NULL, 10));
    if (append(fd, "end", &about, status) != 0)
        return 70;
    if (status == 0)
        (void)printf("{\"stage\":\"%s\"}\n", about.stage);
    else
        (void)fprintf(stderr, "test-handler: exit %d by design\n", status);
    return status;
}
