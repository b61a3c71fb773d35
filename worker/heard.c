#include "worker/heard.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define COLUMN_LEAD 60 /* so much of a long line is shown before the place */

static void item_fini(struct spawn_item *item)
{
    free(item->job);
    free(item->key);
    free(item->data);
}

static void forget_items(struct heard *h, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        item_fini(&h->items[i]);
    for (size_t i = to; i < h->items_len; i++)
        h->items[from + i - to] = h->items[i];
    h->items_len -= to - from;
}

void heard_fini(struct heard *h)
{
    if (h == NULL)
        return;
    forget_items(h, 0, h->items_len);
    heard_wrote_costs(h, h->costs_len);
    free(h->items);
    free(h->costs);
    buf_fini(&h->result);
    buf_fini(&h->why);
    buf_fini(&h->progress);
    buf_fini(&h->checkpoint);
    buf_fini(&h->broken);
    *h = (struct heard)HEARD_INIT;
}

static void copy(struct buf *to, const struct buf *from)
{
    buf_reset(to);
    buf_add(to, buf_str(from), from->len);
}

static enum heard_news hear_progress(struct heard *h, const struct message *m)
{
    copy(&h->progress, &m->json);
    h->has_new_progress = true;
    return HEARD_NOTE;
}

static enum heard_news hear_checkpoint(struct heard *h, const struct message *m)
{
    copy(&h->checkpoint, &m->json);
    h->has_new_checkpoint = true;
    h->items_covered = h->items_len;
    return HEARD_NOTE;
}

static enum heard_news hear_cost(struct heard *h, const struct message *m)
{
    if (h->costs_len == h->costs_cap) {
        h->costs_cap = h->costs_cap > 0 ? h->costs_cap * 2 : 8;
        h->costs = xrealloc(h->costs, h->costs_cap * sizeof(*h->costs));
    }
    h->costs[h->costs_len++] = (struct cost){
        .n = ++h->costs_said,
        .usd = m->cost_usd,
        .tokens = m->tokens,
        .of = m->text.len > 0 ? xstrdup(buf_str(&m->text)) : NULL,
    };
    return HEARD_COST;
}

static enum heard_news hear_limit(struct heard *h, struct message *m)
{
    if (m->after_ms < 0)
        m->after_ms = HEARD_LIMIT_MS;
    h->has_limit = true;
    if (m->after_ms > h->limit_ms)
        h->limit_ms = m->after_ms;
    return HEARD_LIMIT;
}

static char *copy_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* Copied: an outcome without a key is that of several items. */
static void take_items(struct heard *h, const struct message *m)
{
    if (h->items_len + m->items_len > h->items_cap) {
        h->items_cap = (h->items_len + m->items_len) * 2;
        h->items = xrealloc(h->items, h->items_cap * sizeof(*h->items));
    }
    for (size_t i = 0; i < m->items_len; i++) {
        const struct message_item *from = &m->items[i];
        h->items[h->items_len++] = (struct spawn_item){
            .job = copy_or_null(from->job),
            .key = xstrdup(from->key),
            .data = copy_or_null(from->data),
            .priority = from->priority,
            .has_priority = from->has_priority,
        };
    }
}

static enum heard_news hear_spawn(struct heard *h, struct message *m)
{
    take_items(h, m);
    return HEARD_SPAWN;
}

static enum heard_news hear_outcome(struct heard *h, struct message *m)
{
    h->outcome = m->type;
    h->after_ms = m->after_ms;
    h->continues = m->continues;
    copy(&h->why, &m->text);
    if (m->type == MESSAGE_DONE)
        copy(&h->result, &m->json);
    if (m->type == MESSAGE_WAIT)
        take_items(h, m);
    return HEARD_OUTCOME;
}

/* Money is spent and a limit is met whenever it is said. */
static bool is_late(const struct heard *h, enum message_type type)
{
    bool is_decided = h->outcome != MESSAGE_UNKNOWN || h->is_refused;
    return is_decided && type != MESSAGE_COST && type != MESSAGE_LIMIT && type != MESSAGE_LOG;
}

enum heard_news heard_apply(struct heard *h, struct message *m)
{
    if (m->type != MESSAGE_UNKNOWN && is_late(h, m->type)) {
        h->late++;
        return HEARD_LATE;
    }
    switch (m->type) {
    case MESSAGE_UNKNOWN:
    case MESSAGE_HELLO:
    case MESSAGE_TYPE_COUNT:
        return HEARD_NOTHING;
    case MESSAGE_PROGRESS:
        return hear_progress(h, m);
    case MESSAGE_CHECKPOINT:
        return hear_checkpoint(h, m);
    case MESSAGE_COST:
        return hear_cost(h, m);
    case MESSAGE_LIMIT:
        return hear_limit(h, m);
    case MESSAGE_SPAWN:
        return hear_spawn(h, m);
    case MESSAGE_LOG:
        return HEARD_LOG;
    case MESSAGE_DONE:
    case MESSAGE_SKIP:
    case MESSAGE_RETRY:
    case MESSAGE_SNOOZE:
    case MESSAGE_FAIL:
    case MESSAGE_WAIT:
        return hear_outcome(h, m);
    }
    return HEARD_NOTHING;
}

void heard_break(struct heard *h, const char *what, size_t column, const char *line, size_t len)
{
    if (h->outcome != MESSAGE_UNKNOWN)
        h->late++;
    if (h->outcome != MESSAGE_UNKNOWN || heard_is_broken(h))
        return;
    size_t from = column > HEARD_LINE_SHOWN && column <= len ? column - COLUMN_LEAD : 0;
    size_t shown = len - from < HEARD_LINE_SHOWN ? len - from : HEARD_LINE_SHOWN;
    buf_adds(&h->broken, "protocol error: ");
    text_add_printable(&h->broken, what, strlen(what));
    if (column > 0)
        buf_addf(&h->broken, " (column %zu)", column);
    buf_addf(&h->broken, ": %s", from > 0 ? "…" : "");
    text_add_printable(&h->broken, line + from, shown);
    if (from + shown < len)
        buf_addf(&h->broken, "… (%zu bytes)", len);
}

void heard_refuse(struct heard *h, const char *why)
{
    forget_items(h, 0, h->items_len);
    h->items_covered = 0;
    h->has_new_checkpoint = false;
    if (heard_is_broken(h))
        return;
    h->is_refused = true;
    text_add_printable(&h->broken, why, strlen(why));
}

void heard_wrote(struct heard *h, size_t items, bool has_progress, bool has_checkpoint)
{
    forget_items(h, 0, items);
    h->items_written += (int64_t)items;
    h->items_covered = h->items_covered > items ? h->items_covered - items : 0;
    h->has_new_progress = h->has_new_progress && !has_progress;
    h->has_new_checkpoint = h->has_new_checkpoint && !has_checkpoint;
}

void heard_wrote_costs(struct heard *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(h->costs[i].of);
    for (size_t i = n; i < h->costs_len; i++)
        h->costs[i - n] = h->costs[i];
    h->costs_len -= n;
}

void heard_drop_uncovered(struct heard *h)
{
    forget_items(h, h->items_covered, h->items_len);
}
