#include "worker/resident_fault.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "worker/resident_end.h"

enum { QUOTED_MAX = 200 };

void resident_quote(struct buf *out, const char *what, const char *line)
{
    buf_addf(out, "%s: %.*s", what, QUOTED_MAX, line);
}

void resident_stale(struct worker *w, const char *what, const char *line)
{
    struct resident *r = &w->resident;
    struct logline l;
    int64_t now = clock_mono_ns();
    if (now - r->stale_logged_mono_ns < NS_PER_S) /* a handler that does so always */
        return;
    r->stale_logged_mono_ns = now;
    log_begin(&l, LOG_LEVEL_WARN, "resident.stale");
    log_int(&l, "handler_pid", r->pid);
    log_str(&l, "msg", what);
    CLEANUP_FREE char *text = xstrndup(line, QUOTED_MAX);
    log_str(&l, "line", text);
    log_end(&l);
}

/* Who was cut before ends as that says, whatever is said now. */
static void conclude(struct worker *w, struct call *call, struct attempt **item, bool is_alone,
    const char *line, const struct err *err)
{
    struct attempt *a = *item;
    if (a->cut != CUT_NONE) {
        resident_conclude(w, call, item, resident_cut_cause(a));
        return;
    }
    heard_break(&a->heard, err->text, 0, line, strlen(line));
    buf_reset(&a->why);
    buf_adds(&a->why, buf_str(&a->heard.broken));
    buf_adds(&a->how, "protocol error");
    resident_conclude(w, call, item, is_alone ? END_RETRY : attempt_taken_down(a, false));
}

/* Each that is open in the call of this id. */
static void conclude_all(struct worker *w, int64_t id, const char *line, const struct err *err)
{
    struct call *call = calls_find(&w->resident.calls, id);
    const bool is_alone = call->open == 1;
    for (; call != NULL; call = calls_find(&w->resident.calls, id)) {
        size_t i = 0;
        while (call->items[i] == NULL)
            i++;
        conclude(w, call, &call->items[i], is_alone, line, err);
    }
}

void resident_nonsense(struct worker *w, const char *line, bool is_of_item, const struct err *err)
{
    struct resident *r = &w->resident;
    const struct message *m = &r->message;
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    struct call *call =
        r->state == RESIDENT_READY && m->has_id ? calls_find(&r->calls, m->id) : NULL;
    struct attempt **item =
        call != NULL && is_of_item && m->has_key ? call_item(call, buf_str(&m->key)) : NULL;
    const bool is_late = call != NULL && is_of_item && m->has_key && call->open < call->len;
    if (item != NULL) {
        conclude(w, call, item, true, line, err);
    } else if (is_late) {
        resident_stale(w, "a broken message about an item that is answered; dropped", line);
    } else if (call != NULL) {
        conclude_all(w, m->id, line, err);
    } else if (r->state == RESIDENT_READY && m->has_id && m->id >= 1 && m->id <= r->last_id) {
        resident_stale(w, "a broken message about what is over; dropped", line);
    } else {
        buf_addf(&why, "protocol error: %s", err->text);
        resident_quote(&why, "", line);
        if (r->state == RESIDENT_STARTING)
            resident_refuse(w, why.data);
        else
            resident_kill(w, why.data);
    }
}

bool resident_lacks_id(struct worker *w, const struct message *m, const char *line)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    CLEANUP(buf_fini) struct buf what = BUF_INIT;
    const bool is_needed = message_is_outcome(m->type) || m->type == MESSAGE_SPAWN ||
                           m->type == MESSAGE_COST || m->type == MESSAGE_CHECKPOINT ||
                           m->type == MESSAGE_LIMIT;
    if (m->has_id || !is_needed)
        return false;
    buf_addf(&what, "protocol error: %s without the id of its request", message_type_name(m->type));
    resident_quote(&why, buf_str(&what), line);
    resident_kill(w, why.data);
    return true;
}
