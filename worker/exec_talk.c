#include "worker/exec_talk.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/protocol/doubt.h"
#include "worker/trial_say.h"

/* What is wrong with a line. */
struct fault {
    const char *what;
    size_t column;
    const char *line;
    size_t len;
};

static void break_one(struct attempt *a, const struct fault *f)
{
    heard_break(&a->heard, f->what, f->column, f->line, f->len);
}

/* Nobody knows whom it is about: whoever has no outcome yet. */
static void break_all(struct call *call, const struct fault *f)
{
    for (size_t i = 0; i < call->len; i++) {
        struct attempt *a = call->items[i];
        if (!attempt_is_open(a))
            continue;
        break_one(a, f);
        a->cut = stage_is_batch(a->stage->spec) ? CUT_BROKEN : a->cut;
    }
}

static void log_stray(struct call *call, const struct message *m)
{
    const struct catalog_stage *stage = call->items[0]->stage;
    struct logline l;
    if (call->has_stray) /* a handler that does so does it always */
        return;
    call->has_stray = true;
    log_begin(&l, LOG_LEVEL_WARN, "handler.stray");
    log_str(&l, "job", stage->job->spec->name);
    log_str(&l, "stage", stage->spec->name);
    log_str(&l, "message", message_type_name(m->type));
    log_str(&l, "key", m->has_key ? buf_str(&m->key) : NULL);
    log_str(&l, "msg",
        m->has_key ? "about an item that is not in the batch: dropped"
                   : "without the key of its item: dropped");
    log_end(&l);
}

/* An outcome without a key is that of every item that has none. */
static void hear_outcome(struct worker *w, struct call *call, struct message *m)
{
    struct attempt **item = m->has_key ? call_item(call, buf_str(&m->key)) : NULL;
    if (item != NULL)
        (void)notes_hear(w, *item, m);
    else if (m->has_key)
        log_stray(call, m);
    for (size_t i = 0; !m->has_key && i < call->len; i++)
        if (attempt_is_open(call->items[i]))
            (void)notes_hear(w, call->items[i], m);
}

static void apply(struct worker *w, struct call *call, struct message *m)
{
    if (call->len == 1)
        (void)notes_hear(w, call->items[0], m);
    else if (message_is_outcome(m->type))
        hear_outcome(w, call, m);
    else if (notes_hear_about(w, call, m) == NULL && m->type != MESSAGE_UNKNOWN)
        log_stray(call, m);
}

/* What is passed over in silence, or nearly so. */
static const char *doubt(const struct call *call, const struct message *m)
{
    const bool is_always = m->type == MESSAGE_COST || m->type == MESSAGE_LOG;
    const bool is_batch = stage_is_batch(call->items[0]->stage->spec);
    if (m->type == MESSAGE_LIMIT || (is_always && !(is_batch && m->has_key)))
        return NULL;
    if (is_batch && !m->has_key)
        return "without the key of its item, as a batch needs it";
    struct attempt *const *item = is_batch ? call_item(call, buf_str(&m->key)) : call->items;
    if (item == NULL)
        return "the request has no item of this key";
    return !is_always && !attempt_is_open(*item) ? "said after the outcome: dropped" : NULL;
}

static void tell_trial(const struct worker *w, const struct call *call, const struct message *m,
    struct trial_line *said)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    if (said->fault == NULL && doubt_type(m, said->line, &said->column, &why))
        said->doubt = why.data;
    else if (said->fault == NULL)
        said->doubt = doubt(call, m);
    trial_heard(w->trial, said);
}

static bool hear_line(struct worker *w, struct call *call, const char *line, size_t len)
{
    CLEANUP(message_fini) struct message m = MESSAGE_INIT;
    struct err err = {""};
    struct fault fault = {err.text, 0, line, len};
    enum rc rc = message_parse(line, len, &m, &fault.column, &err);
    if (w->trial != NULL)
        tell_trial(
            w, call, &m, &(struct trial_line){line, len, fault.column, rc ? err.text : NULL, NULL});
    const char *wrong = rc == RC_OK ? call_fault(call, &m) : NULL;
    if (wrong != NULL)
        (void)err_set(&err, RC_PROTO, "%s", wrong);
    if (rc == RC_OK && wrong == NULL) {
        apply(w, call, &m);
        return true;
    }
    const bool is_known =
        (m.has_key && wrong == NULL) || !stage_is_batch(call->items[0]->stage->spec);
    struct attempt **item = is_known ? call_about(call, &m) : NULL;
    if (item == NULL) {
        break_all(call, &fault);
        return false;
    }
    break_one(*item, &fault);
    return true;
}

bool exec_talk_hear(struct worker *w, struct call *call)
{
    struct stream *control = &call->items[0]->control;
    struct err err = {""};
    const char *line;
    size_t len;
    enum rc rc;
    while ((rc = stream_next(control, &line, &len, &err)) == RC_ROW)
        if (!hear_line(w, call, line, len))
            return false;
    if (rc != RC_PROTO)
        return true;
    if (w->trial != NULL)
        trial_heard(w->trial, &(struct trial_line){line, len, 0, err.text, NULL});
    break_all(call, &(struct fault){err.text, 0, line, len});
    return false;
}
