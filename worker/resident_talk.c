#include "worker/resident_talk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/sys.h"
#include "common/protocol/doubt.h"
#include "common/protocol/request.h"
#include "worker/request.h"
#include "worker/resident_end.h"
#include "worker/resident_fault.h"
#include "worker/trial_say.h"

enum { LAST_ROUNDS = 64 }; /* reads of what one that has ended left in its pipe */

/* ---- to it ---- */

void resident_flush(struct worker *w)
{
    struct resident *r = &w->resident;
    size_t at = 0;
    while (r->in_fd >= 0 && at < r->out.len) {
        ssize_t n = write(r->in_fd, r->out.data + at, r->out.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN) { /* it reads no more: its end says why */
            at = r->out.len;
            break;
        }
        if (n < 0)
            break;
        at += (size_t)n;
    }
    if (r->in_fd < 0)
        at = r->out.len;
    buf_drop(&r->out, at);
    loop_watch(w->loop, LOOP_STDIN, r->out.len > 0 ? r->in_fd : -1);
}

void resident_cancel(struct worker *w, struct call *call, enum attempt_cut why)
{
    const struct catalog_stage *stage = catalog_stage(w->catalog, w->resident.stage_id);
    for (size_t i = 0; i < call->len; i++) {
        struct attempt *a = call->items[i];
        if (a != NULL && (a->cut == CUT_NONE || why == CUT_LOST))
            a->cut = why;
        if (a != NULL && !call->is_cancelled)
            a->is_cut_with_others = call->open > 1;
    }
    if (call->is_cancelled)
        return;
    call->is_cancelled = true;
    call->due_mono_ns = clock_mono_ns() + stage->spec->tuning.grace_ms * NS_PER_MS;
    request_write_cancel(call->id, &w->resident.out);
}

static void forget_tail(struct resident *r, const struct stage_tuning *tuning)
{
    if (r->tail.text.len == 0)
        return;
    tail_fini(&r->tail);
    tail_init(&r->tail, (size_t)tuning->stderr_tail_bytes);
}

static void send_call(struct worker *w, const struct catalog_stage *stage)
{
    struct resident *r = &w->resident;
    const struct stage_tuning *tuning = &stage->spec->tuning;
    size_t len = 0;
    struct attempt **items = deck_start_call(&w->deck, (size_t)tuning->batch, &len);
    for (size_t i = 0; i < len; i++)
        if (items[i]->version.len == 0)
            buf_adds(&items[i]->version, buf_str(&r->version));
    if (r->calls.len == 0)
        forget_tail(r, tuning); /* what it said before is about others */
    struct call *call = calls_add(&r->calls, ++r->last_id, items, len);
    call->due_mono_ns = call->begun_mono_ns + tuning->timeout_ms * NS_PER_MS;
    const size_t from = r->out.len;
    life_reach(&w->life, call_last_claim(call));
    request_write_call(call, stage, &r->out);
    if (w->trial != NULL)
        trial_asks(w->trial, r->out.data + from, r->out.len - from);
    r->requests++;
    r->wants_recycling =
        r->wants_recycling || (tuning->max_requests > 0 && r->requests >= tuning->max_requests);
}

/* What may take others down with it runs alone. */
static bool may_send(const struct worker *w, const struct stage_tuning *tuning)
{
    const struct resident *r = &w->resident;
    const struct attempt *next = deck_first(&w->deck, ATTEMPT_CLAIMED);
    const struct attempt *running = deck_first(&w->deck, ATTEMPT_RUNNING);
    if (next == NULL || r->state != RESIDENT_READY || r->wants_recycling)
        return false;
    if (running == NULL)
        return true;
    return !next->run.state.is_suspect && !running->run.state.is_suspect &&
           r->calls.len < (size_t)tuning->concurrency;
}

void resident_dispatch(struct worker *w)
{
    const struct catalog_stage *stage = catalog_stage(w->catalog, w->resident.stage_id);
    if (life_is_told_to_leave(&w->life))
        deck_give_back(&w->deck);
    while (stage != NULL && may_send(w, &stage->spec->tuning))
        send_call(w, stage);
}

/* ---- from it ---- */

static void on_hello(struct worker *w, const struct message *m)
{
    struct resident *r = &w->resident;
    const struct catalog_stage *stage = catalog_stage(w->catalog, r->stage_id);
    const char *wanted = stage->spec->version, *said = buf_str(&m->text);
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    if (r->state != RESIDENT_STARTING)
        return;
    if (m->protocol != PROTOCOL_VERSION)
        buf_addf(&why, "it speaks protocol %lld, and this stint speaks %d", (long long)m->protocol,
            PROTOCOL_VERSION);
    else if (wanted[0] != '\0' && said[0] != '\0' && strcmp(wanted, said) != 0)
        buf_addf(&why, "it says that it is version %s, and version %s is configured", said, wanted);
    if (why.len > 0) {
        resident_refuse(w, why.data);
        return;
    }
    buf_adds(&r->version, said);
    r->state = RESIDENT_READY;
    r->until_mono_ns = 0;
    r->idle_since_mono_ns = clock_mono_ns();
}

/* A run takes what it has taken last, or nearly so long as before: quickly slower, slowly faster.
 */
static void measure(struct resident *r, const struct call *call)
{
    int64_t took =
        (clock_mono_ns() - call->begun_mono_ns) / (int64_t)(r->calls.open > 0 ? r->calls.open : 1);
    int64_t before = r->run_ns - r->run_ns / 8;
    r->run_ns = took > before ? took : before;
    r->run_ns = r->run_ns > 0 ? r->run_ns : 1;
}

static void answer(struct worker *w, struct call *call, struct attempt **item, struct message *m)
{
    struct attempt *a = *item;
    measure(&w->resident, call);
    w->resident.throttle_ns = 0;
    if (a->cut == CUT_NONE)
        (void)notes_hear(w, a, m);
    resident_conclude(w, call, item,
        a->cut != CUT_NONE           ? resident_cut_cause(a)
        : heard_is_broken(&a->heard) ? attempt_broken(a)
                                     : attempt_by_message(a));
}

/* For the whole call: every item that has no outcome yet. */
static void answer_all(struct worker *w, int64_t id, struct message *m)
{
    struct call *call;
    while ((call = calls_find(&w->resident.calls, id)) != NULL) {
        size_t i = 0;
        while (call->items[i] == NULL)
            i++;
        answer(w, call, &call->items[i], m);
    }
}

static void on_outcome(struct worker *w, struct message *m, const char *line)
{
    struct call *call = calls_find(&w->resident.calls, m->id);
    if (call == NULL) {
        resident_stale(
            w, "an outcome of what it does not have in flight (any more); dropped", line);
        return;
    }
    if (!m->has_key || call->len == 1) {
        answer_all(w, m->id, m);
        return;
    }
    struct attempt **item = call_item(call, buf_str(&m->key));
    if (item == NULL)
        resident_stale(
            w, "an outcome of an item that is not in the batch, or has one; dropped", line);
    else
        answer(w, call, item, m);
}

static void on_note(struct worker *w, struct message *m, const char *line)
{
    struct call *call = calls_find(&w->resident.calls, m->id);
    struct attempt **item = call != NULL ? notes_hear_about(w, call, m) : NULL;
    if (item == NULL && m->type != MESSAGE_UNKNOWN)
        resident_stale(w, "about nothing that it has in flight (any more); dropped", line);
    if (item != NULL && heard_is_broken(&(*item)->heard)) /* said what will never be taken */
        resident_conclude(w, call, item, attempt_broken(*item));
}

static void on_message(struct worker *w, struct message *m, const char *line)
{
    struct resident *r = &w->resident;
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    if (m->type == MESSAGE_HELLO) {
        on_hello(w, m);
    } else if (r->state == RESIDENT_STARTING) {
        resident_quote(&why, "it spoke before its hello", line);
        resident_refuse(w, why.data);
    } else if (resident_lacks_id(w, m, line)) {
        return;
    } else if (message_is_outcome(m->type)) {
        on_outcome(w, m, line);
    } else if (m->has_id) {
        on_note(w, m, line);
    }
}

static bool is_heard(const struct resident *r)
{
    return r->out_fd >= 0 && r->state != RESIDENT_NONE && r->state != RESIDENT_SWEEPING;
}

static void tell_trial(const struct worker *w, struct trial_line *said)
{
    const struct resident *r = &w->resident;
    const struct message *m = &r->message;
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    const bool is_open = calls_find(&r->calls, m->id) != NULL;
    if (!said->fault &&
        (doubt_type(m, said->line, &said->column, &why) || doubt_id(m, r->last_id, is_open, &why)))
        said->doubt = why.data;
    trial_heard(w->trial, said);
}

static void read_lines(struct worker *w)
{
    struct resident *r = &w->resident;
    const char *line;
    size_t len;
    struct err err = {""};
    enum rc rc;
    while (is_heard(r) && (rc = stream_next(&r->stream, &line, &len, &err)) != RC_AGAIN) {
        r->message.has_id = r->message.has_key = false;
        size_t column = 0;
        if (rc == RC_ROW)
            rc = message_parse(line, len, &r->message, &column, &err);
        if (w->trial != NULL)
            tell_trial(w, &(struct trial_line){line, len, column, rc ? err.text : NULL, NULL});
        const struct call *call = rc == RC_OK ? calls_find(&r->calls, r->message.id) : NULL;
        const char *wrong = call != NULL ? call_fault(call, &r->message) : NULL;
        if (wrong != NULL)
            rc = err_set(&err, RC_PROTO, "%s", wrong);
        if (rc == RC_OK)
            on_message(w, &r->message, line);
        else
            resident_nonsense(w, line, wrong == NULL, &err);
    }
}

static struct attempt **first_broken(const struct calls *c, struct call **ret_call)
{
    for (size_t i = 0; i < c->len; i++) {
        *ret_call = &c->list[i];
        for (size_t k = 0; k < c->list[i].len; k++)
            if (c->list[i].items[k] != NULL && heard_is_broken(&c->list[i].items[k]->heard))
                return &c->list[i].items[k];
    }
    return NULL;
}

/* Whoever said what the store will never take has failed. That a claim is gone is seen with the
 * next beat. */
void resident_note(struct worker *w)
{
    struct call *call = NULL;
    struct attempt **item;
    notes_turn(w);
    while ((item = first_broken(&w->resident.calls, &call)) != NULL)
        resident_conclude(w, call, item, attempt_broken(*item));
}

/* What is there now; false: its output has ended, or can tell nothing more. */
static bool read_round(struct worker *w, bool *ret_has_more)
{
    struct resident *r = &w->resident;
    enum rc rc = sys_read_avail(r->out_fd, stream_wants(&r->stream), stream_room(&r->stream));
    resident_listen_stderr(w); /* what it said before it answered is about what it answers */
    *ret_has_more = rc == RC_LIMIT;
    /* Of one that has ended, all is in the pipe; who else holds it is not awaited. */
    if (rc != RC_LIMIT && (rc != RC_AGAIN || r->is_ended))
        stream_end(&r->stream);
    read_lines(w);
    resident_note(w);
    return rc == RC_AGAIN || rc == RC_LIMIT;
}

static void output_is_over(struct worker *w)
{
    struct resident *r = &w->resident;
    loop_watch(w->loop, LOOP_STDOUT, -1);
    (void)close(r->out_fd);
    r->out_fd = -1;
    if (r->state == RESIDENT_STARTING) /* no hello can come any more */
        r->is_unusable = true;
    if (!r->is_ended) /* usually it is just about to end */
        resident_leave(w);
}

void resident_listen(struct worker *w)
{
    struct resident *r = &w->resident;
    bool has_more = true, is_open = true;
    for (int round = 0; is_heard(r) && is_open && has_more && round < LAST_ROUNDS; round++) {
        is_open = read_round(w, &has_more);
        has_more = has_more && r->is_ended;
    }
    if (!is_open && is_heard(r))
        output_is_over(w);
}

/* Of several in flight it may be any: the first one bears it. */
static struct tail_about about_stderr(const struct worker *w)
{
    const struct attempt *a = deck_first(&w->deck, ATTEMPT_RUNNING);
    const struct catalog_stage *stage = catalog_stage(w->catalog, w->resident.stage_id);
    if (a != NULL && a->stage != NULL)
        return attempt_about(a);
    return (struct tail_about){
        .job = stage->job->spec->name, .stage = stage->spec->name, .key = ""};
}

void resident_listen_stderr(struct worker *w)
{
    struct resident *r = &w->resident;
    if (r->err_fd < 0 || catalog_stage(w->catalog, r->stage_id) == NULL)
        return;
    const struct tail_about about = about_stderr(w);
    enum rc rc = tail_read(&r->tail, r->err_fd);
    bool is_over = rc != RC_AGAIN && rc != RC_LIMIT;
    tail_show(&r->tail, &w->live, &about, "stderr", is_over || r->is_ended);
    if (!is_over)
        return;
    loop_watch(w->loop, LOOP_STDERR, -1);
    (void)close(r->err_fd);
    r->err_fd = -1;
}
