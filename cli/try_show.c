#include "cli/try_show.h"

#include <string.h>

#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/protocol/message.h"

#define EXCERPT_BYTES ((size_t)76)  /* of a line that is shown with a caret */
#define VALUE_COLUMNS ((size_t)160) /* of a value, without a terminal */
#define HANDLER_COLUMNS ((size_t)60)
#define INDENT "   "

static const char *text_of(const json_t *event, const char *member)
{
    return json_string_value(json_object_get(event, member));
}

/* "   request  {…}": cut to the width, unless -v. */
static void add_value(const struct try_show *s, const char *name, const char *text, struct buf *out)
{
    CLEANUP(buf_fini) struct buf shown = BUF_INIT;
    const size_t used = strlen(INDENT) + strlen(name) + 1;
    text_add_printable(&shown, text, strlen(text));
    size_t room = s->cli->width > used + 20 ? s->cli->width - used : VALUE_COLUMNS;
    CLEANUP_FREE char *cut = s->cli->is_verbose ? NULL : text_cut(buf_str(&shown), room);
    buf_adds(out, INDENT);
    tone_add(out, TONE_FAINT, s->cli->has_color, name);
    buf_addf(out, "%s%s\n", shown.len > 0 ? " " : "", cut ? cut : buf_str(&shown));
}

/* A member as it was written. */
static void add_raw(const struct try_show *s, const char *member, const char *line, struct buf *out)
{
    const char *start;
    size_t len;
    if (!json_member(line, member, &start, &len))
        return;
    CLEANUP_FREE char *text = xstrndup(start, len);
    add_value(s, member, text, out);
}

void try_show_stage(const struct try_show *s, int64_t attempt, struct buf *out)
{
    CLEANUP(buf_fini) struct buf handler = BUF_INIT;
    char span[48];
    buf_adds(out, "── ");
    tone_add(out, TONE_BOLD, s->cli->has_color, s->stage->name);
    buf_addf(out, "  attempt %lld of %lld, timeout %s, handler ", (long long)attempt,
        (long long)s->stage->tuning.max_attempts,
        text_duration(s->stage->tuning.timeout_ms, span, sizeof(span)));
    text_add_printable(&handler, s->stage->handler.text, strlen(s->stage->handler.text));
    CLEANUP_FREE char *cut = text_cut(buf_str(&handler), HANDLER_COLUMNS);
    buf_addf(out, "%s\n", cut);
}

/* ---- what it says ---- */

static void add_progress(const struct message *m, struct buf *out)
{
    json_t *counts = json_loads(buf_str(&m->json), 0, NULL);
    const json_t *total = json_object_get(counts, "total"),
                 *failed = json_object_get(counts, "failed");
    buf_addf(out, "%lld", (long long)json_number_value(json_object_get(counts, "done")));
    if (json_is_number(total))
        buf_addf(out, " of %lld", (long long)json_number_value(total));
    if (json_number_value(failed) > 0)
        buf_addf(out, ", %lld failed", (long long)json_number_value(failed));
    json_decref(counts);
}

static void add_cost(const struct message *m, struct buf *out)
{
    if (m->cost_usd > 0)
        buf_addf(out, "%g usd", m->cost_usd);
    if (m->tokens > 0)
        buf_addf(out, "%s%lld tokens", m->cost_usd > 0 ? ", " : "", (long long)m->tokens);
    if (m->text.len > 0)
        buf_addf(out, " of %s", buf_str(&m->text));
}

static void add_limit(const struct message *m, struct buf *out)
{
    char span[48];
    buf_addf(out, "%s%s", m->text.len > 0 ? "of resource " : "of the stage's resources",
        buf_str(&m->text));
    if (m->after_ms >= 0)
        buf_addf(out, ", for %s", text_duration(m->after_ms, span, sizeof(span)));
    buf_adds(out, "; the pool would hold it");
}

static void add_items(const struct message *m, struct buf *out)
{
    buf_addf(out, "%zu item%s:", m->items_len, m->items_len == 1 ? "" : "s");
    for (size_t i = 0; i < m->items_len && i < 5; i++)
        buf_addf(out, " %s%s%s", m->items[i].job ? m->items[i].job : "", m->items[i].job ? "/" : "",
            m->items[i].key);
    if (m->items_len > 5)
        buf_adds(out, " …");
}

static void describe(const struct message *m, const char *line, struct buf *out)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    switch (m->type) {
    case MESSAGE_PROGRESS:
        add_progress(m, out);
        break;
    case MESSAGE_CHECKPOINT:
    case MESSAGE_DONE:
        buf_adds(out, buf_str(&m->json));
        break;
    case MESSAGE_COST:
        add_cost(m, out);
        break;
    case MESSAGE_LIMIT:
        add_limit(m, out);
        break;
    case MESSAGE_SPAWN:
    case MESSAGE_WAIT:
        add_items(m, out);
        break;
    case MESSAGE_LOG:
        buf_addf(out, "%s: %s", levels[m->level], buf_str(&m->text));
        break;
    case MESSAGE_SKIP:
    case MESSAGE_RETRY:
    case MESSAGE_SNOOZE:
    case MESSAGE_FAIL:
    case MESSAGE_HELLO:
        buf_adds(out, buf_str(&m->text));
        break;
    case MESSAGE_UNKNOWN:
    case MESSAGE_TYPE_COUNT:
        buf_adds(out, line);
        break;
    }
}

/* So much of the line that the column is inside, and the caret below it. */
static void add_excerpt(const char *said, size_t column, struct buf *out)
{
    CLEANUP(buf_fini) struct buf before = BUF_INIT;
    size_t len = strlen(said), at = column > 0 ? column - 1 : 0;
    at = at < len ? at : len;
    size_t from = at > EXCERPT_BYTES * 3 / 4 ? at - EXCERPT_BYTES * 3 / 4 : 0;
    while (from > 0 && ((unsigned char)said[from] & 0xc0) == 0x80)
        from--;
    size_t show = len - from < EXCERPT_BYTES ? len - from : EXCERPT_BYTES;
    buf_adds(out, from > 0 ? "      … " : "        ");
    text_add_printable(out, said + from, show);
    buf_adds(out, from + show < len ? " …\n" : "\n");
    if (column == 0)
        return;
    text_add_printable(&before, said + from, at - from);
    buf_addf(out, "        %*s^\n", (int)text_width(buf_str(&before)), "");
}

/* A line of the handler's that is not as it should be: what is wrong, then the line. */
static void add_wrong(
    struct try_show *s, const json_t *event, enum tone tone, const char *word, struct buf *out)
{
    const char *what = text_of(event, tone == TONE_BAD ? "fault" : "doubt");
    s->has_fault = true;
    buf_adds(out, INDENT);
    tone_add(out, tone, s->cli->has_color, word);
    buf_adds(out, " ");
    text_add_printable(out, what, strlen(what));
    if (tone == TONE_BAD)
        buf_adds(out,
            handler_is_resident(&s->stage->handler) ? ", on standard output" : ", on descriptor 3");
    buf_adds(out, ":\n");
    add_excerpt(
        text_of(event, "line"), (size_t)json_number_value(json_object_get(event, "column")), out);
}

static void add_message(struct try_show *s, const json_t *event, struct buf *out)
{
    CLEANUP(message_fini) struct message m = MESSAGE_INIT;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    const char *line = text_of(event, "line");
    struct err err;
    if (text_of(event, "fault")) {
        add_wrong(s, event, TONE_BAD, "fault", out);
        return;
    }
    if (text_of(event, "doubt")) {
        add_wrong(s, event, TONE_WARN, "!", out);
        return;
    }
    if (message_parse(line, strlen(line), &m, NULL, &err) != RC_OK)
        return;
    describe(&m, line, &text);
    add_value(s, message_type_name(m.type), buf_str(&text), out);
}

/* Lines of free text, each behind its name. */
static void add_text(const struct try_show *s, const json_t *event, struct buf *out)
{
    const char *from = text_of(event, "from");
    for (const char *line = text_of(event, "text"); *line;) {
        size_t len = strcspn(line, "\n");
        buf_adds(out, INDENT);
        tone_add(out, TONE_FAINT, s->cli->has_color, from);
        buf_adds(out, " │ ");
        text_add_printable(out, line, len);
        buf_addc(out, '\n');
        line += len + (line[len] == '\n');
    }
}

/* ---- how it ends ---- */

static void add_span(const json_t *event, const char *member, struct buf *out)
{
    char span[48];
    int64_t ms = (int64_t)(json_number_value(json_object_get(event, member)) * 1000 + 0.5);
    buf_adds(out, text_duration(ms, span, sizeof(span)));
}

/* What the pool would make of it. */
static void add_next(const struct try_show *s, const json_t *event, struct buf *out)
{
    const char *status = text_of(event, "status"), *outcome = text_of(event, "outcome");
    long long attempts = (long long)json_number_value(json_object_get(event, "attempts"));
    long long max = (long long)s->stage->tuning.max_attempts;
    buf_adds(out, INDENT "the pool would ");
    if (strcmp(outcome, "pause") == 0) {
        buf_addf(out, "pause %s.%s, and count no attempt\n", s->job->name, s->stage->name);
    } else if (strcmp(status, "retry_later") == 0) {
        buf_adds(out, "try it again in ");
        add_span(event, "retry_in_s", out);
        buf_addf(out, ": attempt %lld of %lld\n", attempts + 1, max);
    } else if (strcmp(status, "exhausted") == 0) {
        buf_addf(out, "give up: that was attempt %lld of %lld\n", attempts, max);
    } else if (strcmp(status, "failed") == 0) {
        buf_adds(out, "not try it again: it failed for good\n");
    } else {
        buf_addf(out, "make it %s again\n", status);
    }
    if (strcmp(outcome, "wait") == 0)
        buf_adds(out, INDENT "add those items, and run this again in 30s, whether they are at rest "
                             "or not\n");
}

static void add_advice(const struct try_show *s, const json_t *event, struct buf *out)
{
    const char *job = text_of(event, "unknown_job");
    if (job) {
        buf_adds(out, INDENT "it spawns items of job ");
        text_add_printable(out, job, strlen(job));
        buf_adds(out, ", which is not configured: the pool would let it fail\n");
    }
    if (s->has_fault)
        buf_adds(out, INDENT "what a handler may say: man 7 stint-handler; is it a good one: stint "
                             "handler-check PROGRAM\n");
}

static void add_end(
    const struct try_show *s, const json_t *event, const char *line, struct buf *out)
{
    static const struct {
        const char *outcome, *says;
        enum tone tone;
    } ends[] = {{"done", "done", TONE_GOOD}, {"skip", "skipped", TONE_GOOD},
        {"retry", "failed", TONE_BAD}, {"fail", "failed", TONE_BAD},
        {"pause", "cannot run", TONE_BAD}, {"snooze", "snoozed", TONE_WARN},
        {"wait", "waits", TONE_WARN}, {"stopped", "stopped", TONE_WARN},
        {"crashed", "crashed", TONE_BAD}, {"interrupted", "interrupted", TONE_WARN}};
    const char *outcome = text_of(event, "outcome"), *why = text_of(event, "why");
    buf_adds(out, INDENT);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(ends[i].outcome, outcome) == 0)
            tone_add(out, ends[i].tone, s->cli->has_color, ends[i].says);
    buf_adds(out, strcmp(outcome, "pause") == 0 ? " after " : " in ");
    add_span(event, "elapsed_s", out);
    if (why) {
        buf_adds(out, ": ");
        text_add_printable(out, why, strlen(why));
    }
    buf_addc(out, '\n');
    if (strcmp(outcome, "done") == 0) {
        add_raw(s, "result", line, out);
    } else if (strcmp(outcome, "skip") != 0 && strcmp(outcome, "stopped") != 0) {
        add_next(s, event, out);
    }
    add_advice(s, event, out);
}

void try_show_event(struct try_show *s, const json_t *event, const char *line, struct buf *out)
{
    const char *name = text_of(event, "event");
    if (strcmp(name, "request") == 0) {
        add_raw(s, name, line, out);
    } else if (strcmp(name, "message") == 0) {
        add_message(s, event, out);
    } else if (strcmp(name, "text") == 0) {
        add_text(s, event, out);
    } else if (strcmp(name, "end") == 0) {
        add_end(s, event, line, out);
    }
}
