#include "worker/tail.h"

#include <stdint.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"
#include "common/ipc/claim.h"

enum {
    READ_FIRST = 4096,
    READ_MORE = 65536,
    READ_ROUNDS = 4,
    SHOWN_MAX = 16384,  /* of what is new in one turn */
    PARTIAL_MAX = 1024, /* of a line whose end has not come */
};

void tail_init(struct tail *t, size_t keep)
{
    *t = (struct tail){.keep = keep};
}

void tail_fini(struct tail *t)
{
    buf_fini(&t->text);
    *t = (struct tail){.keep = 0};
}

static void leave_out(struct tail *t, size_t len)
{
    t->left_out += len;
    t->quiet_len = SIZE_MAX;
}

static void shorten(struct tail *t)
{
    const size_t max = t->keep > SHOWN_MAX ? t->keep : SHOWN_MAX;
    if (t->text.len <= max)
        return;
    const size_t drop = t->text.len - max;
    buf_drop(&t->text, drop);
    if (drop > t->shown_len)
        leave_out(t, drop - t->shown_len);
    t->shown_len = drop > t->shown_len ? 0 : t->shown_len - drop;
}

enum rc tail_read(struct tail *t, int fd)
{
    enum rc rc = RC_LIMIT;
    size_t want = READ_FIRST;
    for (int round = 0; rc == RC_LIMIT && round < READ_ROUNDS; round++) {
        rc = sys_read_avail(fd, t->text.len + want, &t->text);
        shorten(t);
        want = READ_MORE; /* it has much to say */
    }
    return rc;
}

static void begin_record(struct buf *out, const struct tail_about *about, const char *name)
{
    char claim[CLAIM_TEXT_MAX];
    buf_addf(out, "%lld\t%s\t%lld\t%s\t%s\t%s\t%s\t", (long long)clock_wall_ms(),
        claim_format(about->claim, claim), (long long)about->attempt, name, about->job,
        about->stage, about->key);
}

/* One record of several lines: their breaks become LIVE_BREAK. */
static void add_lines(
    struct buf *out, const struct tail_about *about, const char *name, const char *text, size_t len)
{
    begin_record(out, about, name);
    size_t start = out->len;
    buf_add(out, text, len);
    for (char *p = out->data + start; p < out->data + out->len; p++)
        *p = *p == '\n' ? LIVE_BREAK : *p == LIVE_BREAK ? ' ' : *p;
    buf_addc(out, '\n');
}

/* The newest of what is not shown yet, from the beginning of a line on. */
static const char *skip_flood(struct tail *t, const char *from, const char *end)
{
    if (end - from <= SHOWN_MAX)
        return from;
    const char *start = end - SHOWN_MAX;
    const char *line = memchr(start, '\n', SHOWN_MAX);
    start = line != NULL ? line + 1 : start;
    leave_out(t, (size_t)(start - from));
    return start;
}

/* Again after a while: a ring that lost the beginning has it still. */
static void say_left_out(
    struct tail *t, const struct tail_about *about, const char *name, struct buf *out)
{
    if (t->left_out == 0 || t->quiet_len < SHOWN_MAX)
        return;
    begin_record(out, about, name);
    buf_addf(out, "(%llu bytes left out so far)\n", (unsigned long long)t->left_out);
    t->quiet_len = 0;
}

/* Whole lines, unless one is very long or the last. */
static size_t length_to_show(const char *from, const char *end, bool is_end)
{
    size_t len = (size_t)(end - from);
    const char *line = memrchr(from, '\n', len);
    size_t whole = line != NULL ? (size_t)(line - from) + 1 : 0;
    return is_end || len - whole >= PARTIAL_MAX ? len : whole;
}

void tail_show(struct tail *t, const struct tail_live *to, const struct tail_about *about,
    const char *name, bool is_end)
{
    const char *end = buf_str(&t->text) + t->text.len;
    const char *from = buf_str(&t->text) + t->shown_len;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    if ((to->live == NULL && to->show == NULL) || from == end)
        return;
    from = skip_flood(t, from, end);
    say_left_out(t, about, name, &out);
    size_t len = length_to_show(from, end, is_end);
    if (len > 0)
        add_lines(&out, about, name, from, from[len - 1] == '\n' ? len - 1 : len);
    if (len > 0 && to->show != NULL)
        to->show(to->ctx, name, from, from[len - 1] == '\n' ? len - 1 : len);
    from += len;
    t->quiet_len = t->quiet_len > SIZE_MAX - len ? SIZE_MAX : t->quiet_len + len;
    t->shown_len = t->text.len - (size_t)(end - from);
    if (to->live != NULL)
        live_write(to->live, to->slot, out.data, out.len);
}

void tail_log(struct tail *t, const struct tail_live *to, const struct tail_about *about,
    const char *level, const char *text)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    buf_adds(&line, text);
    for (char *p = line.data; p != NULL && *p != '\0'; p++)
        *p = *p == '\n' ? ' ' : *p;
    buf_addf(&t->text, "%s: %s\n", level, buf_str(&line));
    shorten(t);
    t->shown_len = t->text.len;
    if (to->live == NULL)
        return;
    CLEANUP(buf_fini) struct buf out = BUF_INIT;
    size_t len = line.len < SHOWN_MAX ? line.len : SHOWN_MAX;
    add_lines(&out, about, level, buf_str(&line), len);
    live_write(to->live, to->slot, out.data, out.len);
}

const char *tail_kept(const struct tail *t, size_t *ret_len)
{
    size_t len = t->text.len < t->keep ? t->text.len : t->keep;
    *ret_len = len;
    return buf_str(&t->text) + t->text.len - len;
}
