#include <string.h>
#include <sys/wait.h>

#include "cli/handler_check.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

/* What was heard so far. */
struct heard_so_far {
    enum message_type outcome; /* the first; of a batch: when all have one */
    bool has_items[CHECK_ITEMS];
};

static void judge_message(
    struct handler_check *c, const char *line, size_t len, struct heard_so_far *h)
{
    const struct message *m = &c->m;
    if (m->type == MESSAGE_HELLO)
        (void)finding_add(c, true, line, len, "hello on descriptor 3: only residents say it");
    if (m->has_id && m->id != CHECK_ID)
        (void)finding_add(c, true, line, len,
            "id %lld is not the request's, which is %d; exec needs none", (long long)m->id,
            CHECK_ID);
    if (c->is_batch && m->type != MESSAGE_HELLO) {
        if (check_item(c, h->has_items, line, len))
            h->outcome = MESSAGE_DONE;
        return;
    }
    bool counts_always =
        m->type == MESSAGE_COST || m->type == MESSAGE_LIMIT || m->type == MESSAGE_LOG;
    if (h->outcome != MESSAGE_UNKNOWN && !counts_always)
        (void)finding_add(c, true, line, len, "%s after the outcome, which was %s: dropped",
            message_type_name(m->type), message_type_name(h->outcome));
    else if (message_is_outcome(m->type))
        h->outcome = m->type;
    if (message_is_outcome(m->type))
        check_keep_outcome(c);
}

static struct heard_so_far listen(struct handler_check *c, int64_t deadline)
{
    struct heard_so_far h = {.outcome = MESSAGE_UNKNOWN};
    enum handler_heard heard;
    struct err err = {""};
    const char *line;
    size_t len;
    while ((heard = handler_hear(&c->talk, deadline, &line, &len, &err)) == HEARD_LINE)
        if (check_line(c, line, len))
            judge_message(c, line, len, &h);
    if (heard == HEARD_BAD)
        (void)finding_add(c, true, NULL, 0, "descriptor 3: %s", err.text);
    return h;
}

/* Messages that were meant for descriptor 3. *ret_is_resident: the first one is a hello. */
static void look_for_messages(struct handler_check *c, bool *ret_is_resident)
{
    const char *p = buf_str(&c->talk.output), *end;
    for (bool is_first = true; *p; p = *end ? end + 1 : end, is_first = false) {
        end = p + strcspn(p, "\n");
        bool is_message = *p == '{' &&
                          message_parse(p, (size_t)(end - p), &c->m, NULL, NULL) == RC_OK &&
                          c->m.type != MESSAGE_UNKNOWN;
        if (!is_message)
            continue;
        if (is_first && c->m.type == MESSAGE_HELLO) {
            *ret_is_resident = true;
            return;
        }
        struct finding *f = finding_add(
            c, true, p, (size_t)(end - p), "a message on standard output: not looked for there");
        f->fix = xstrdup("write messages to descriptor 3 ($STINT_CONTROL_FD): >&3 in a shell");
        return;
    }
}

static void judge_output(struct handler_check *c)
{
    const struct handler_talk *t = &c->talk;
    if (c->is_batch && t->output.len > 0)
        (void)finding_add(c, false, NULL, 0, "standard output is no result in a batch");
    else if (t->is_output_cut)
        (void)finding_add(c, true, NULL, 0,
            "more than 1 MiB on standard output: the attempt fails, unless output_size is raised");
    else if (!text_is_utf8(buf_str(&t->output), t->output.len))
        (void)finding_add(c, false, NULL, 0,
            "standard output is not UTF-8: what is not becomes U+FFFD in the result");
}

/* What a handler says on purpose; any other status may as well be a crash. */
static bool is_deliberate(int code)
{
    return code == 0 || (code >= 64 && code <= 68) || code == 70 || code == 75 || code == 99 ||
           code == 100;
}

static bool is_pausing(int code)
{
    return code == 77 || code == 78 || code == 126 || code == 127;
}

/* A batch whose items do not all have an outcome, with a status that is about the rest. */
static void judge_missing(struct handler_check *c, const struct heard_so_far *h, int code)
{
    for (size_t i = 0; i < CHECK_ITEMS; i++) {
        if (h->has_items[i])
            continue;
        struct finding *f = finding_add(c, code == 0, NULL, 0,
            code == 0 ? "no outcome was said for \"%s\", and exit status %d: it would be retried"
                      : "no outcome was said for \"%s\": exit status %d says what becomes of it",
            check_key(c, i), code);
        f->fix = xstrdup("say an outcome for each item on descriptor 3, with its key");
    }
}

static void judge_end(struct handler_check *c, const struct heard_so_far *h)
{
    const struct handler_talk *t = &c->talk;
    const enum message_type outcome = h->outcome;
    CLEANUP(buf_fini) struct buf words = BUF_INIT;
    check_last_words(c, &words);
    if (WIFSIGNALED(t->status)) {
        (void)finding_add(c, true, NULL, 0, "killed by signal %d%s", WTERMSIG(t->status),
            outcome == MESSAGE_UNKNOWN ? "" : ", after its outcome, which counts");
        return;
    }
    int code = WEXITSTATUS(t->status);
    if (outcome != MESSAGE_UNKNOWN && code != 0)
        (void)finding_add(c, false, NULL, 0,
            "exit status %d%s: an outcome was said, so it means nothing", code, buf_str(&words));
    if (outcome != MESSAGE_UNKNOWN)
        return;
    if (is_pausing(code))
        (void)finding_add(
            c, true, NULL, 0, "exit status %d%s: its stage would be paused", code, buf_str(&words));
    else if (!is_deliberate(code)) {
        struct finding *f = finding_add(c, true, NULL, 0,
            "exit status %d on the sample request%s: it would be retried", code, buf_str(&words));
        f->fix = xstrdup("did it crash? if it only lacks data, give --key and --data; a retry on "
                         "purpose is exit status 75, or the message \"retry\"");
    }
    if (c->is_batch)
        judge_missing(c, h, code);
    if (c->is_batch && c->outcome.len > 0)
        return;
    if (code == 0 && !c->is_batch)
        buf_addf(&c->outcome, "done by exit status 0, a result of %zu bytes", t->output.len);
    else if (code != 0)
        buf_addf(&c->outcome, "by exit status %d%s", code, buf_str(&words));
}

enum rc handler_check_exec(struct handler_check *c, bool *ret_is_resident, struct err *err)
{
    CLEANUP(buf_fini) struct buf request = BUF_INIT;
    int errnum = 0;
    check_request(c, CHECK_ID, &request);
    enum rc rc =
        handler_start(&c->talk, c->argv, c->is_batch ? NULL : c->key, &request, &errnum, err);
    if (rc == RC_NOTFOUND || rc == RC_INVALID) {
        check_cannot_start(c, rc, errnum, err);
        return RC_OK;
    }
    if (rc)
        return rc;
    int64_t deadline = check_deadline(c);
    const struct heard_so_far h = listen(c, deadline);
    bool is_over = handler_await_end(&c->talk, deadline);
    handler_end(&c->talk);
    look_for_messages(c, ret_is_resident);
    if (*ret_is_resident)
        return RC_OK;
    judge_output(c);
    if (is_over)
        judge_end(c, &h);
    else
        (void)finding_add(c, true, NULL, 0,
            "still runs after %lld ms; if it needs so long, say --timeout",
            (long long)c->timeout_ms);
    if (c->talk.left > 0)
        (void)finding_add(c, false, NULL, 0,
            "left %zu process%s running: the pool ends them before it records the outcome",
            c->talk.left, c->talk.left == 1 ? "" : "es");
    return RC_OK;
}
