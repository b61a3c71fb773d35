/* A plugin that does what its key names: good, wrong, and murderous. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stint-plugin.h>

static void say_all(struct stint_run *run)
{
    struct stint_item items[] = {{"other", "x", "{ \"a\": 1 }", 4}, {.key = "y"}};
    stint_progress(run, 1, -1, 10);
    stint_checkpoint(run, "{ \"offset\":\n 5 }");
    stint_cost(run, 0.5, 7, "model \"x\"");
    stint_limit(run, "api", "host", 30);
    stint_spawn(run, items, 2);
    stint_log(run, "warn", "two\nlines");
    stint_done(run, "[1,\n2]");
}

static void repeat_request(struct stint_run *run)
{
    char text[4096];
    const char *member = stint_get(run, "data.list.1.text"), *none = stint_get(run, "inputs.none");
    snprintf(text, sizeof(text),
        "{\"text\":%s,\"stage\":\"%s\",\"attempt\":%d,\"n\":%s,\"none\":%s}",
        stint_json(run, "data.list.1.text"), run->stage, (int)run->attempt,
        stint_get(run, "inputs.first.n"), none ? none : "null");
    if (member && strcmp(member, "a\"\n\xc3\xa9") != 0)
        stint_fail(run, "stint_get is wrong");
    else
        stint_done(run, text);
}

static void close_all(void)
{
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
}

static volatile char *volatile nowhere;

static void end_itself(const char *how)
{
    if (strcmp(how, "segfault") == 0) {
        signal(SIGSEGV, SIG_DFL);
        *nowhere = 1;
    } else if (strcmp(how, "exit") == 0) {
        exit(0);
    } else if (strcmp(how, "abort") == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    while (strcmp(how, "loop") == 0)
        continue;
}

static void go_wrong(struct stint_run *run, const char *how)
{
    if (strcmp(how, "not-json") == 0)
        stint_checkpoint(run, "{oops");
    if (strcmp(how, "not-utf8") == 0)
        stint_fail(run, "caf\xe9");
    if (strcmp(how, "no-word") == 0)
        stint_log(run, "loud", "x");
    if (strcmp(how, "twice") == 0) {
        stint_skip(run, "first");
        stint_done(run, NULL);
        stint_progress(run, 1, -1, -1);
    }
    if (strcmp(how, "closes") == 0) {
        close_all();
        stint_done(run, NULL);
    }
    if (strcmp(how, "closes-and-opens") == 0) {
        close_all();
        for (int i = 0; i < 200; i++)
            open("opened", O_CREAT | O_RDWR, 0600);
        stint_done(run, NULL);
    }
}

static void end_well(struct stint_run *run, const char *how, const char *state)
{
    struct stint_item item = {.key = "k"};
    if (strcmp(how, "all") == 0)
        say_all(run);
    else if (strcmp(how, "request") == 0)
        repeat_request(run);
    else if (strcmp(how, "restored") == 0)
        stint_done(run, run->checkpoint);
    else if (strcmp(how, "state") == 0)
        stint_done(run, state);
    else if (strcmp(how, "retry") == 0)
        stint_retry(run, "HTTP 503", 30);
    else if (strcmp(how, "snooze") == 0)
        stint_snooze(run, "not yet", 600);
    else if (strcmp(how, "wait") == 0)
        stint_wait(run, &item, 1, "continue");
    else if (strcmp(how, "prints") == 0)
        printf("printed\n");
}

static void do_as_told(struct stint_run *run, void *state)
{
    while (strcmp(run->key, "until-cancelled") == 0 && !stint_is_cancelled(run))
        continue;
    end_itself(run->key);
    go_wrong(run, run->key);
    end_well(run, run->key, state);
}

static int open_with(const char *data, void **state)
{
    if (data && strcmp(data, "\"refuse\"") == 0)
        return 3;
    *state = strdup(data ? data : "null");
    return 0;
}

const struct stint_plugin stint_plugin = {
    STINT_PLUGIN_HEAD, .version = "1.5", .open = open_with, .run = do_as_told, .close = free};
