#include "worker/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/store/notes.h"
#include "worker/limited.h"
#include "worker/worker.h"

#define GAP_NS (200 * NS_PER_MS)

void notes_fini(struct notes *n)
{
    free(n->list);
    *n = (struct notes){0};
}

static void note_down(struct notes *n, struct attempt *a)
{
    for (size_t i = 0; i < n->len; i++)
        if (n->list[i] == a)
            return;
    if (n->len == n->cap) {
        n->cap = n->cap > 0 ? n->cap * 2 : 8;
        n->list = xrealloc(n->list, n->cap * sizeof(struct attempt *));
    }
    n->list[n->len++] = a;
}

void notes_forget(struct worker *w, struct attempt *a)
{
    struct notes *n = &w->notes;
    size_t kept = 0;
    for (size_t i = 0; i < n->len; i++)
        if (n->list[i] != a)
            n->list[kept++] = n->list[i];
    n->len = kept;
}

/* ---- writing ---- */

/* What of an attempt goes into one transaction. A checkpoint waits until all items that were
 * spawned before it are written with it or were before. */
static struct note note_of(struct attempt *a, bool is_due)
{
    struct heard *h = &a->heard;
    struct note note = {
        .run = &a->run, .stage = a->stage, .costs = h->costs, .costs_len = h->costs_len};
    bool has_bite = h->items_len > SPAWN_BITE;
    if (!is_due && !has_bite)
        return note;
    if (has_bite)
        note.items_len = SPAWN_BITE;
    else if (h->has_new_checkpoint)
        note.items_len = h->items_covered;
    note.items = h->items;
    if (h->has_new_progress)
        note.progress = buf_str(&h->progress);
    if (h->has_new_checkpoint && h->items_covered <= note.items_len)
        note.checkpoint = buf_str(&h->checkpoint);
    return note;
}

static bool has_text(const struct note *note)
{
    return note->progress != NULL || note->checkpoint != NULL || note->items_len > 0;
}

static void wrote(struct worker *w, struct attempt *a, const struct note *note)
{
    struct heard *h = &a->heard;
    heard_wrote_costs(h, note->costs_len);
    if (note->checkpoint != NULL)
        a->run.state.streak = 0;
    if (has_text(note)) {
        heard_wrote(h, note->items_len, note->progress != NULL, note->checkpoint != NULL);
        w->notes.next_mono_ns = clock_mono_ns() + GAP_NS;
    }
    a->is_gone = a->is_gone || note->is_lost;
}

/* One transaction for these attempts. RC_LIMIT, RC_INVALID: one of them has said what will never be
 * taken: it is broken now, the others are to be written again. */
static enum rc write_once(struct worker *w, struct attempt **list, size_t len, bool is_due)
{
    struct err err = {""};
    struct notes_answer answer = {0};
    struct note *notes = xcalloc(len, sizeof(*notes));
    bool has_any = false;
    for (size_t i = 0; i < len; i++) {
        notes[i] = note_of(list[i], is_due);
        has_any = has_any || notes[i].costs_len > 0 || has_text(&notes[i]);
    }
    enum rc rc = RC_OK;
    if (has_any && w->trial == NULL)
        rc = store_notes(w->store, w->catalog, notes, len, &answer, &err);
    for (size_t i = 0; rc == RC_OK && has_any && i < len; i++)
        wrote(w, list[i], &notes[i]);
    if ((rc == RC_INVALID || rc == RC_LIMIT) && answer.failed < len)
        heard_refuse(&list[answer.failed]->heard, err.text);
    else if (rc != RC_OK)
        log_msg(
            LOG_LEVEL_WARN, "worker.database", "%s; what handlers said is written later", err.text);
    if (rc == RC_OK)
        life_wake_others(&w->life, answer.claimable);
    free(notes);
    return rc;
}

static bool has_more(const struct attempt *a, bool is_due)
{
    const struct heard *h = &a->heard;
    bool has_text = h->has_new_progress || h->has_new_checkpoint;
    return !a->is_gone && (h->costs_len > 0 || h->items_len > SPAWN_BITE || (is_due && has_text));
}

static bool any_has_more(struct attempt **list, size_t len, bool is_due)
{
    for (size_t i = 0; i < len; i++)
        if (has_more(list[i], is_due))
            return true;
    return false;
}

/* Until all is written that is due, or the database fails. */
static enum rc write_all(struct worker *w, struct attempt **list, size_t len, bool is_due)
{
    enum rc rc = RC_OK;
    while (any_has_more(list, len, is_due)) {
        rc = write_once(w, list, len, is_due);
        if (rc != RC_OK && rc != RC_INVALID && rc != RC_LIMIT)
            break;
    }
    return rc;
}

static void drop_written(struct notes *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->len; i++)
        if (has_more(n->list[i], true))
            n->list[kept++] = n->list[i];
    n->len = kept;
}

void notes_turn(struct worker *w)
{
    struct notes *n = &w->notes;
    if (n->len == 0)
        return;
    if (write_all(w, n->list, n->len, clock_mono_ns() >= n->next_mono_ns) != RC_OK)
        n->next_mono_ns = clock_mono_ns() + GAP_NS;
    drop_written(n);
    loop_set_timer(w->loop, LOOP_NOTES, n->len > 0 ? n->next_mono_ns : 0);
}

void notes_now(struct worker *w, struct attempt *a)
{
    if (write_all(w, &a, 1, true) == RC_OK)
        notes_forget(w, a);
}

/* ---- hearing ---- */

static void log_late(const struct attempt *a, const struct message *m)
{
    struct logline l;
    if (a->heard.late != 1)
        return;
    log_begin(&l, LOG_LEVEL_WARN, "handler.late");
    log_str(&l, "job", a->stage->job->spec->name);
    log_str(&l, "stage", a->stage->spec->name);
    log_str(&l, "key", a->run.key);
    log_str(&l, "message", message_type_name(m->type));
    log_str(&l, "msg", "said after the outcome: it, and what follows, is dropped");
    log_end(&l);
}

static void show_log(struct worker *w, struct attempt *a, const struct message *m)
{
    static const char *const levels[] = {
        [MESSAGE_DEBUG] = "debug",
        [MESSAGE_INFO] = "info",
        [MESSAGE_WARN] = "warn",
        [MESSAGE_ERROR] = "error",
    };
    const struct tail_about about = attempt_about(a);
    tail_log(&a->logs, &w->live, &about, levels[m->level], buf_str(&m->text));
}

/* Growth without end is stopped where it begins. */
static void count_spawned(struct attempt *a)
{
    const struct job_spec *job = a->stage->job->spec;
    char why[200];
    int64_t n = a->heard.items_written + (int64_t)a->heard.items_len;
    if (n <= job->max_spawn)
        return;
    (void)snprintf(why, sizeof(why), "%lld items spawned; max_spawn of [job %s] is %lld",
        (long long)n, job->name, (long long)job->max_spawn);
    heard_refuse(&a->heard, why);
}

static bool waits_for_itself(const struct attempt *a, const struct message *m)
{
    for (size_t i = 0; m->type == MESSAGE_WAIT && i < m->items_len; i++) {
        const struct message_item *item = &m->items[i];
        if (strcmp(item->key, a->run.key) == 0 &&
            (item->job == NULL || strcmp(item->job, a->stage->job->spec->name) == 0))
            return true;
    }
    return false;
}

enum heard_news notes_hear(struct worker *w, struct attempt *a, struct message *m)
{
    if (a->heard.outcome == MESSAGE_UNKNOWN && waits_for_itself(a, m)) {
        heard_break(&a->heard, "a wait for the item itself, which would never end", 0, a->run.key,
            strlen(a->run.key));
        return HEARD_NOTHING;
    }
    enum heard_news news = heard_apply(&a->heard, m);
    switch (news) {
    case HEARD_NOTE:
    case HEARD_COST:
        note_down(&w->notes, a);
        break;
    case HEARD_SPAWN:
        count_spawned(a);
        note_down(&w->notes, a);
        break;
    case HEARD_OUTCOME:
        count_spawned(a); /* a wait has items, too */
        note_down(&w->notes, a);
        break;
    case HEARD_LIMIT:
        limited_hold(w, a, m);
        break;
    case HEARD_LOG:
        show_log(w, a, m);
        break;
    case HEARD_LATE:
        log_late(a, m);
        break;
    case HEARD_NOTHING:
        break;
    }
    return news;
}

struct attempt **notes_hear_about(struct worker *w, const struct call *call, struct message *m)
{
    struct attempt **item = call_about(call, m);
    for (size_t i = 0; m->type == MESSAGE_LIMIT && i < call->len; i++)
        if (call->items[i] != NULL && &call->items[i] != item)
            (void)heard_apply(&call->items[i]->heard, m); /* it is every one's */
    if (item != NULL)
        (void)notes_hear(w, *item, m);
    return item;
}
