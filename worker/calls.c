#include "worker/calls.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

void calls_fini(struct calls *c)
{
    for (size_t i = 0; i < c->len; i++)
        free(c->list[i].items);
    free(c->list);
    *c = (struct calls){.list = NULL};
}

struct call *calls_add(struct calls *c, int64_t id, struct attempt **items, size_t len)
{
    if (c->len == c->cap) {
        c->cap = c->cap > 0 ? c->cap * 2 : 4;
        c->list = xrealloc(c->list, c->cap * sizeof(*c->list));
    }
    struct call *call = &c->list[c->len++];
    *call = (struct call){
        .id = id, .items = items, .len = len, .open = len, .begun_mono_ns = clock_mono_ns()};
    c->open += len;
    return call;
}

struct call *calls_find(const struct calls *c, int64_t id)
{
    for (size_t i = 0; i < c->len; i++)
        if (c->list[i].id == id)
            return &c->list[i];
    return NULL;
}

struct attempt **call_item(const struct call *call, const char *key)
{
    for (size_t i = 0; i < call->len; i++) {
        struct attempt **item = &call->items[i];
        bool is_meant =
            key == NULL ? call->len == 1 : *item != NULL && strcmp((*item)->run.key, key) == 0;
        if (is_meant)
            return *item != NULL ? item : NULL;
    }
    return NULL;
}

static bool is_of_all(const struct call *call, const struct message *m)
{
    bool may_be = m->type == MESSAGE_COST || m->type == MESSAGE_LIMIT || m->type == MESSAGE_LOG;
    return call->len > 1 && may_be && (!m->has_key || m->type == MESSAGE_LIMIT);
}

struct attempt **call_about(const struct call *call, const struct message *m)
{
    if (!is_of_all(call, m))
        return call_item(call, call->len > 1 ? buf_str(&m->key) : NULL);
    struct attempt **any = NULL;
    for (size_t i = 0; i < call->len; i++) {
        struct attempt **item = &call->items[i];
        if (*item != NULL && attempt_is_open(*item))
            return item;
        any = any == NULL && *item != NULL ? item : any;
    }
    return any;
}

const char *call_fault(const struct call *call, const struct message *m)
{
    if (call->len < 2)
        return NULL;
    if (message_is_outcome(m->type) && m->is_key_null)
        return "the key of this outcome is null: an outcome for all items bears none";
    /* Of a resident, it may be about one that is answered: that is only late. */
    if (m->type == MESSAGE_SPAWN && m->has_key && call->open < call->len)
        return NULL;
    /* Nobody knows whose it is, and dropped it would be lost. */
    if (m->type == MESSAGE_SPAWN && (!m->has_key || call_item(call, buf_str(&m->key)) == NULL))
        return "spawn without the key of an item of the batch";
    return NULL;
}

int64_t call_last_claim(const struct call *call)
{
    int64_t last = 0;
    for (size_t i = 0; i < call->len; i++)
        if (call->items[i] != NULL && call->items[i]->run.claim > last)
            last = call->items[i]->run.claim;
    return last;
}

bool calls_close(struct calls *c, struct call *call, struct attempt **item)
{
    *item = NULL;
    c->open--;
    if (--call->open > 0)
        return false;
    free(call->items);
    *call = c->list[--c->len];
    return true;
}

struct call *calls_first_due(const struct calls *c)
{
    struct call *first = NULL;
    for (size_t i = 0; i < c->len; i++)
        if (first == NULL || c->list[i].due_mono_ns < first->due_mono_ns)
            first = &c->list[i];
    return first;
}
