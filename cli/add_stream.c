#include "cli/add_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bite_size.h"
#include "cli/loop.h"
#include "cli/progress.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

/* A stream that pauses this long has its items added before it goes on. */
#define PAUSE_NS (20 * NS_PER_MS)

struct stream {
    struct adding *a;
    struct records records;
    struct interrupt interrupt;
    struct progress progress;
    struct giving_way giving_way;
    char *log;          /* the database's write-ahead log */
    int64_t size_bytes; /* of what there is to read; 0: nobody knows */
};

/* ---- what is said ---- */

static void say_stopped(const struct adding *a)
{
    char count[32];
    int64_t n = adding_count(a);
    if (n == 0)
        cli_say(
            a->cli, "nothing of this file was added; correct it and run the same command again");
    else
        cli_say(a->cli,
            "%s item%s before it %s %s; correct it and run the same command again: what is there "
            "already is left alone",
            text_count(n, count, sizeof(count)), n == 1 ? "" : "s", n == 1 ? "was" : "were",
            a->opts.is_dry_run ? "looked at" : "added");
}

/* A bite that is under way has changed nothing. */
static void check_interrupt(struct stream *s)
{
    int signum = interrupt_came(&s->interrupt);
    if (!signum)
        return;
    progress_clear(&s->progress);
    adding_stop(s->a, &s->interrupt, signum);
}

static void on_busy(void *ctx)
{
    check_interrupt(ctx);
}

static void draw(struct stream *s)
{
    progress_draw_adding(&s->progress,
        &(struct progress_adding){.name = s->a->job->spec->name,
            .items = adding_count(s->a),
            .done_bytes = records_read_bytes(&s->records),
            .size_bytes = s->size_bytes},
        clock_mono_ns());
}

/* ---- others ---- */

static struct timespec log_changed_at(const struct stream *s)
{
    struct stat st = {0};
    (void)stat(s->log, &st);
    return st.st_mtim;
}

/* Leaves the write lock free when somebody else may want it, and sees whether somebody did. */
static void give_way(struct stream *s)
{
    struct adding *a = s->a;
    if (!a->has_waited && !giving_way_is_due(&s->giving_way))
        return;
    struct timespec before = log_changed_at(s);
    (void)loop_wait_fd(s->interrupt.fd, clock_mono_ns() + GIVE_WAY_NS);
    struct timespec after = log_changed_at(s);
    a->is_shared = before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec;
    giving_way_came(&s->giving_way, a->is_shared || a->has_waited);
}

/* ---- reading ---- */

static enum cli_exit swallow(struct stream *s)
{
    size_t bad;
    struct err err = {""};
    enum rc rc = adding_swallow(s->a, &bad, &err);
    if (rc) {
        progress_clear(&s->progress);
        return adding_fail(s->a, rc, bad, &err);
    }
    draw(s);
    if (!records_is_at_end(&s->records))
        give_way(s);
    check_interrupt(s);
    return CLI_OK;
}

/* There is nothing to read now: what was read is added after a short pause, then there is time. */
static enum cli_exit await_more(struct stream *s)
{
    struct pollfd fds[] = {
        {.fd = s->records.lines.fd, .events = POLLIN}, {.fd = s->interrupt.fd, .events = POLLIN}};
    bool has_more = loop_wait(fds, 2, clock_mono_ns() + PAUSE_NS);
    enum cli_exit code = has_more ? CLI_OK : swallow(s);
    if (code == CLI_OK && !has_more)
        (void)loop_wait(fds, 2, LOOP_NEVER);
    check_interrupt(s);
    return code;
}

static enum cli_exit read_all(struct stream *s)
{
    struct record record;
    struct err err = {""};
    enum cli_exit code = CLI_OK;
    enum rc rc;
    while ((rc = records_header(&s->records, &err)) == RC_AGAIN && code == CLI_OK)
        code = await_more(s);
    while (code == CLI_OK && (rc == RC_OK || rc == RC_ROW || rc == RC_AGAIN)) {
        rc = records_next(&s->records, &record, &err);
        if (rc == RC_ROW)
            adding_put(s->a, &record);
        if (rc == RC_AGAIN)
            code = await_more(s);
        else if (rc == RC_DONE || adding_is_full(s->a))
            code = swallow(s);
    }
    if (code != CLI_OK || rc == RC_DONE)
        return code;
    progress_clear(&s->progress);
    return cli_fail(CLI_FAILED, "%s", err.text);
}

static int64_t size_of(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at < st.st_size ? st.st_size - at : 0;
}

static enum cli_exit add_fd(struct adding *a, int fd, enum record_format format)
{
    struct stream s = {.a = a, .interrupt = {.fd = -1}, .size_bytes = size_of(fd)};
    struct err err = {""};
    if (interrupt_take(&s.interrupt, &err))
        return cli_fail(CLI_FAILED, "%s", err.text);
    store_expect_bulk(a->cli->store);
    records_init(
        &s.records, fd, a->source, &(struct records_opts){.format = format, .never_waits = true});
    progress_init(
        &s.progress, a->cli->is_terminal, a->cli->is_quiet || a->cli->is_json, a->cli->err_width);
    s.log = xasprintf("%s-wal", a->cli->config->pool.database);
    a->ctx = &s;
    a->on_busy = on_busy;
    enum cli_exit code = read_all(&s);
    a->on_busy = NULL;
    progress_fini(&s.progress);
    records_fini(&s.records);
    free(s.log);
    interrupt_give_back(&s.interrupt);
    if (code != CLI_OK)
        say_stopped(a);
    return code;
}

enum cli_exit add_stream(struct adding *a, const char *from, enum record_format format)
{
    if (strcmp(from, "-") == 0) {
        a->source = "standard input";
        return add_fd(a, STDIN_FILENO, format);
    }
    a->source = from;
    int fd CLEANUP_FD = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        return cli_fail(CLI_FAILED, "cannot open %s: %s", from, strerror(why));
    }
    return add_fd(a, fd, format);
}
