#include <stdlib.h>
#include <sys/wait.h>

#include "cli/handler_check.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/protocol/doubt.h"
#include "common/protocol/request.h"

#define IDS_MAX 8
#define ID_NEVER_ASKED 999

/* What was asked, and how it stands. Ids count from CHECK_ID. */
struct asked {
    size_t len;
    bool is_answered[IDS_MAX];
    bool has_items[IDS_MAX][CHECK_ITEMS]; /* answered, of a batch */
};

/* It has gone, or cannot be talked to any more: no more is asked. */
static bool note_gone(struct handler_check *c, const char *before)
{
    CLEANUP(buf_fini) struct buf words = BUF_INIT;
    bool is_over = handler_await_end(&c->talk, check_deadline(c));
    int status = c->talk.status;
    check_last_words(c, &words);
    if (!is_over)
        (void)finding_add(c, true, NULL, 0, "it closed its standard output %s", before);
    else if (WIFSIGNALED(status))
        (void)finding_add(c, true, NULL, 0, "it was killed by signal %d %s%s", WTERMSIG(status),
            before, buf_str(&words));
    else
        (void)finding_add(c, true, NULL, 0, "it ended with exit status %d %s%s",
            WEXITSTATUS(status), before, buf_str(&words));
    return false;
}

static bool note_bad(struct handler_check *c, const struct err *err)
{
    (void)finding_add(c, true, NULL, 0, "standard output: %s", err->text);
    return false;
}

/* ---- hello ---- */

static void judge_hello(struct handler_check *c, const char *line, size_t len)
{
    if (c->m.type != MESSAGE_HELLO)
        (void)finding_add(c, true, line, len,
            "its first line is %s; hello must come first: {\"type\":\"hello\",\"protocol\":1}",
            message_type_name(c->m.type));
    else if (c->m.protocol != PROTOCOL_VERSION)
        (void)finding_add(c, true, line, len, "protocol %lld is unknown; it must be %d",
            (long long)c->m.protocol, PROTOCOL_VERSION);
}

/* False: nothing more can be tried. */
static bool await_hello(struct handler_check *c)
{
    struct err err = {""};
    const char *line;
    size_t len;
    for (int64_t deadline = check_deadline(c);;) {
        switch (handler_hear(&c->talk, deadline, &line, &len, &err)) {
        case HEARD_LINE:
            if (!check_line(c, line, len))
                continue;
            judge_hello(c, line, len);
            return c->m.type == MESSAGE_HELLO;
        case HEARD_BAD:
            return note_bad(c, &err);
        case HEARD_END:
            return note_gone(c, "before it said hello");
        case HEARD_NOTHING:
            break;
        }
        struct finding *f =
            finding_add(c, true, NULL, 0, "no hello within %lld ms", (long long)c->timeout_ms);
        f->fix = xstrdup("say {\"type\":\"hello\",\"protocol\":1} on standard output before "
                         "anything is read, and flush it");
        return false;
    }
}

/* ---- answers ---- */

/* False: it was noted. A text for the log may be about none. */
static bool is_about_one(
    struct handler_check *c, const struct asked *asked, const char *line, size_t len)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    const struct message *m = &c->m;
    const size_t i = (size_t)(m->id - CHECK_ID);
    if (!m->has_id && m->type == MESSAGE_LOG)
        return true;
    if (!doubt_id(m, (int64_t)asked->len, i < asked->len && !asked->is_answered[i], &why))
        return true;
    struct finding *f = finding_add(c, true, line, len, "%s", buf_str(&why));
    if (!m->has_id)
        f->fix = xstrdup("every message bears the id of its request; without it the process is "
                         "not trusted any more, and ended");
    return false;
}

static void judge_id(struct handler_check *c, struct asked *asked, const char *line, size_t len)
{
    const struct message *m = &c->m;
    const size_t i = (size_t)(m->id - CHECK_ID);
    if (!is_about_one(c, asked, line, len) || !m->has_id)
        return;
    if (c->is_batch) {
        asked->is_answered[i] = check_item(c, asked->has_items[i], line, len);
    } else if (message_is_outcome(m->type)) {
        asked->is_answered[i] = true;
        check_keep_outcome(c);
    }
}

static void judge_message(
    struct handler_check *c, struct asked *asked, const char *line, size_t len)
{
    if (c->m.type == MESSAGE_HELLO)
        (void)finding_add(c, true, line, len, "a second hello");
    else
        judge_id(c, asked, line, len);
}

/* Listens until id is answered (0: to the end). HEARD_LINE: it is. */
static enum handler_heard listen_for(
    struct handler_check *c, struct asked *asked, int64_t id, int64_t deadline)
{
    struct err err = {""};
    const char *line;
    size_t len;
    while (id == 0 || !asked->is_answered[id - CHECK_ID]) {
        enum handler_heard heard = handler_hear(&c->talk, deadline, &line, &len, &err);
        if (heard == HEARD_BAD)
            (void)note_bad(c, &err);
        if (heard != HEARD_LINE)
            return heard;
        if (check_line(c, line, len))
            judge_message(c, asked, line, len);
    }
    return HEARD_LINE;
}

static void say(struct handler_check *c, const struct buf *line)
{
    handler_say(&c->talk, line, false);
}

static void say_cancel(struct handler_check *c, int64_t id)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    request_write_cancel(id, &line);
    if (c->listener)
        c->listener(c->listener_ctx, '>', line.data, line.len - 1);
    say(c, &line);
}

/* What stint may say one day. */
static void say_unknown(struct handler_check *c)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    buf_adds(&line, "{\"type\":\"check\",\"note\":\"types that are not known are ignored\"}\n");
    say(c, &line);
}

static int64_t ask(struct handler_check *c, struct asked *asked)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    int64_t id = CHECK_ID + (int64_t)asked->len++;
    check_request(c, id, &line);
    say(c, &line);
    return id;
}

/* Too slow, so far: may it be given up? */
static bool give_up(struct handler_check *c, struct asked *asked, int64_t id)
{
    const bool *has = asked->has_items[id - CHECK_ID];
    const char *key = !c->is_batch ? "" : check_key(c, has[0] ? 1 : 0);
    (void)finding_add(c, true, NULL, 0,
        "no outcome for id %lld%s%s%s within %lld ms; does it flush what it says? If it needs so "
        "long, say --timeout",
        (long long)id, c->is_batch ? " and item \"" : "", key, c->is_batch ? "\"" : "",
        (long long)c->timeout_ms);
    say_cancel(c, id);
    enum handler_heard heard = listen_for(c, asked, id, check_deadline(c));
    if (heard == HEARD_LINE)
        return true;
    if (heard == HEARD_END)
        return note_gone(c, "when a request was cancelled");
    (void)finding_add(c, true, NULL, 0,
        "a cancel was not answered either: the pool would end the process, with all that is in "
        "flight in it");
    return false;
}

static bool await_outcome(
    struct handler_check *c, struct asked *asked, int64_t id, const char *before)
{
    switch (listen_for(c, asked, id, check_deadline(c))) {
    case HEARD_LINE:
        return true;
    case HEARD_NOTHING:
        return give_up(c, asked, id);
    case HEARD_END:
        return note_gone(c, before);
    case HEARD_BAD:
        break;
    }
    return false;
}

/* Two requests, between them what must be ignored; then one that is cancelled at once. */
static bool talk(struct handler_check *c, struct asked *asked)
{
    int64_t id = ask(c, asked);
    if (!await_outcome(c, asked, id, "instead of answering"))
        return false;
    say_unknown(c);
    say_cancel(c, CHECK_ID);
    say_cancel(c, ID_NEVER_ASKED);
    id = ask(c, asked);
    if (!await_outcome(c, asked, id,
            "instead of answering a second request, or at a message that it must ignore"))
        return false;
    id = ask(c, asked);
    say_cancel(c, id);
    return await_outcome(c, asked, id, "when a request was cancelled");
}

static void judge_end(struct handler_check *c, struct asked *asked)
{
    CLEANUP(buf_fini) struct buf words = BUF_INIT;
    int64_t deadline = check_deadline(c);
    handler_say(&c->talk, NULL, true);
    bool is_over =
        listen_for(c, asked, 0, deadline) != HEARD_NOTHING && handler_await_end(&c->talk, deadline);
    int status = c->talk.status;
    check_last_words(c, &words);
    if (!is_over)
        (void)finding_add(c, true, NULL, 0,
            "the end of its standard input did not end it within %lld ms: the pool would kill it",
            (long long)c->timeout_ms);
    else if (WIFSIGNALED(status))
        (void)finding_add(c, true, NULL, 0,
            "killed by signal %d after the end of its standard input", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        (void)finding_add(c, true, NULL, 0,
            "exit status %d%s after the end of its standard input; it must be 0",
            WEXITSTATUS(status), buf_str(&words));
}

enum rc handler_check_resident(struct handler_check *c, struct err *err)
{
    struct asked asked = {.len = 0};
    int errnum = 0;
    enum rc rc = handler_start(&c->talk, c->argv, c->key, NULL, &errnum, err);
    if (rc == RC_NOTFOUND || rc == RC_INVALID) {
        check_cannot_start(c, rc, errnum, err);
        return RC_OK;
    }
    if (rc)
        return rc;
    if (await_hello(c) && talk(c, &asked))
        judge_end(c, &asked);
    handler_end(&c->talk);
    return RC_OK;
}
