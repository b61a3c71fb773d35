#include "common/protocol/items.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/json_scan.h"
#include "common/base/text.h"
#include "common/protocol/member.h"

static struct message_item *new_item(struct message *m)
{
    if (m->items_len == m->items_cap) {
        m->items_cap = m->items_cap ? m->items_cap * 2 : 8;
        m->items = xrealloc(m->items, m->items_cap * sizeof(*m->items));
    }
    struct message_item *item = &m->items[m->items_len++];
    *item = (struct message_item){0};
    return item;
}

static const char *read_item_key(const json_t *key, struct message_item *item)
{
    if (!key || json_is_null(key))
        return "\"key\" is missing";
    if (member_is_whole(key, -MEMBER_NUMBER_MAX)) {
        item->key = xasprintf("%.0f", json_number_value(key));
        return NULL;
    }
    if (!json_is_string(key))
        return "\"key\" must be a string or a whole number";
    if (text_check_key(json_string_value(key), json_string_length(key), NULL) != RC_OK)
        return "\"key\" must have 1 to 512 bytes, and no control characters";
    item->key = xstrdup(json_string_value(key));
    return NULL;
}

static const char *read_item_priority(const json_t *priority, struct message_item *item)
{
    if (!member_is_whole(priority, -PRIORITY_MAX) || json_number_value(priority) > PRIORITY_MAX)
        return "\"priority\" must be a whole number from -1000000 to 1000000";
    item->priority = (int64_t)json_number_value(priority);
    item->has_priority = true;
    return NULL;
}

/* NULL, or what is wrong with it. */
static const char *read_item(const json_t *value, const char *raw, struct message_item *item)
{
    if (!json_is_object(value))
        return "must be an object with \"key\"";
    const json_t *job = json_object_get(value, "job"), *data = json_object_get(value, "data");
    const json_t *priority = json_object_get(value, "priority");
    const char *why = read_item_key(json_object_get(value, "key"), item);
    if (!why && job && !json_is_null(job)) {
        if (!json_is_string(job) || !text_is_name(json_string_value(job)))
            return "\"job\" must be the name of a job";
        item->job = xstrdup(json_string_value(job));
    }
    if (!why && data && !json_is_null(data)) {
        CLEANUP(buf_fini) struct buf text = BUF_INIT;
        if (!member_cut(raw, "data", &text))
            return "\"data\" " MEMBER_TOO_DEEP;
        item->data = buf_take(&text);
    }
    if (!why && priority && !json_is_null(priority))
        why = read_item_priority(priority, item);
    return why;
}

/* The text of the array's next element; p: behind '[' or the element before. */
static const char *next_element(const char *p, struct buf *ret)
{
    p = json_skip_blanks(p);
    if (*p == ',')
        p = json_skip_blanks(p + 1);
    const char *end = json_skip_value(p);
    buf_reset(ret);
    buf_add(ret, p, (size_t)(end - p));
    return end;
}

const char *items_read(const json_t *array, const char **raw, struct message *m)
{
    CLEANUP(buf_fini) struct buf element = BUF_INIT;
    const char *p = *raw + 1;
    for (size_t i = 0; i < json_array_size(array); i++) {
        p = next_element(p, &element);
        const char *why = read_item(json_array_get(array, i), buf_str(&element), new_item(m));
        if (why) {
            *raw = p - element.len;
            return why;
        }
    }
    return NULL;
}

void items_reset(struct message *m)
{
    for (size_t i = 0; i < m->items_len; i++) {
        free(m->items[i].job);
        free(m->items[i].key);
        free(m->items[i].data);
    }
    m->items_len = 0;
}
