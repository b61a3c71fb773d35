#include "worker/discover/jsonl.h"

#include <jansson.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

static void drop_json(json_t **value)
{
    json_decref(*value);
}

bool jsonl_is_blank(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r", line[i]) || line[i] == '\0')
            return false;
    return true;
}

static char *key_text(const json_t *value)
{
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_integer(value))
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return NULL;
}

static enum rc parse_line(const char *line, size_t len, json_t **ret, struct err *err)
{
    json_error_t why;
    json_t *value = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value)
        return err_set(err, RC_INVALID, "no JSON (column %d: %s); one JSON object a line, please",
            why.column, why.text);
    *ret = value;
    return RC_OK;
}

static bool holds_only(const json_t *object, const char *key_name)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name,
        value) if (strcmp(name, key_name) != 0 && strcmp(name, "data") != 0 &&
                   strcmp(name, "priority") != 0) return false;
    return true;
}

/* An empty rest means no data, not empty data: it must not wipe what an item has. */
static char *data_text(json_t *object, const char *key_name)
{
    const json_t *data = json_object_get(object, "data");
    bool is_given = json_is_object(data) && holds_only(object, key_name);
    (void)json_object_del(object, key_name);
    (void)json_object_del(object, "priority");
    if (!is_given && json_object_size(object) == 0)
        return NULL;
    char *dumped = json_dumps(is_given ? data : object, JSON_COMPACT);
    char *copy = dumped ? xstrdup(dumped) : NULL;
    free(dumped);
    return copy;
}

static enum rc read_priority(const json_t *value, struct jsonl_item *ret, struct err *err)
{
    if (!value)
        return RC_OK;
    json_int_t priority = json_integer_value(value);
    if (!json_is_integer(value) || priority < -PRIORITY_MAX || priority > PRIORITY_MAX)
        return err_set(err, RC_INVALID, "\"priority\" must be a whole number from -%d to %d",
            PRIORITY_MAX, PRIORITY_MAX);
    ret->priority = priority;
    ret->has_priority = true;
    return RC_OK;
}

void jsonl_fini(struct jsonl_item *item)
{
    free(item->key);
    free(item->data);
    *item = (struct jsonl_item){0};
}

enum rc jsonl_parse(
    const char *line, size_t len, const char *key_name, struct jsonl_item *ret, struct err *err)
{
    CLEANUP(drop_json) json_t *value = NULL;
    enum rc rc = parse_line(line, len, &value, err);
    if (rc != RC_OK)
        return rc;
    bool is_object = json_is_object(value);
    const json_t *key_value = is_object ? json_object_get(value, key_name) : value;
    if (!key_value)
        return err_set(
            err, RC_INVALID, "no member \"%s\"; name the key's member by discover.key", key_name);
    struct jsonl_item item = {.key = key_text(key_value)};
    if (!item.key)
        return err_set(err, RC_INVALID, "%s is neither a string nor an integer",
            is_object ? key_name : "the line");
    rc = is_object ? read_priority(json_object_get(value, "priority"), &item, err) : RC_OK;
    if (rc != RC_OK) {
        jsonl_fini(&item);
        return rc;
    }
    item.data = is_object ? data_text(value, key_name) : NULL;
    *ret = item;
    return RC_OK;
}
