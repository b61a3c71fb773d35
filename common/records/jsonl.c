#include "common/records/jsonl.h"

#include <jansson.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/records/plain.h"

/* A piece of the text. */
struct span {
    const char *at;
    size_t len;
};

static void drop_json(json_t **value)
{
    json_decref(*value);
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static struct span value_at(const char *p)
{
    return (struct span){p, (size_t)(json_skip_value(p) - p)};
}

/* The next member of an object known to be valid; p stands behind '{' or a value. */
static const char *next_member(const char *p, struct span *name, struct span *value)
{
    p = skip_space(p);
    if (*p == ',')
        p = skip_space(p + 1);
    if (*p != '"')
        return NULL;
    *name = value_at(p);
    p = skip_space(p + name->len);
    *value = value_at(skip_space(p + 1));
    return value->at + value->len;
}

/* name: a string of JSON, in its quotes. */
static bool is_name(const struct span *name, const char *text)
{
    if (!memchr(name->at, '\\', name->len))
        return name->len == strlen(text) + 2 && memcmp(name->at + 1, text, name->len - 2) == 0;
    CLEANUP(drop_json) json_t *value = json_loadb(name->at, name->len, JSON_DECODE_ANY, NULL);
    return value && strcmp(json_string_value(value), text) == 0;
}

static enum rc read_key(
    const json_t *value, const struct span *raw, const char *name, struct buf *key, struct err *err)
{
    if (json_is_string(value))
        buf_add(key, json_string_value(value), json_string_length(value));
    else if (json_is_number(value) && strspn(raw->at, "-0123456789") == raw->len)
        buf_add(key, raw->at, raw->len);
    else
        return err_set(err, RC_INVALID, "\"%s\" must be a string or a whole number", name);
    return text_check_key(buf_str(key), key->len, err);
}

static enum rc read_priority(const json_t *value, struct jsonl_item *item, struct err *err)
{
    double number = json_is_number(value) ? json_number_value(value) : PRIORITY_MAX + 1;
    if (number < -PRIORITY_MAX || number > PRIORITY_MAX || (double)(int64_t)number != number)
        return err_set(err, RC_INVALID, "\"priority\" must be a whole number from -%d to %d",
            PRIORITY_MAX, PRIORITY_MAX);
    item->priority = (int64_t)number;
    item->has_priority = true;
    return RC_OK;
}

static void add_member(struct buf *data, const struct span *name, const struct span *value)
{
    buf_addc(data, data->len ? ',' : '{');
    buf_add(data, name->at, name->len);
    buf_addc(data, ':');
    buf_add(data, value->at, value->len);
}

/* All members but the key, "priority" and "data". */
static void take_others(
    const char *text, const char *key_name, struct buf *ret_object, struct span *ret_first)
{
    struct span name, value;
    const char *p = strchr(text, '{') + 1;
    while ((p = next_member(p, &name, &value))) {
        if (is_name(&name, key_name) || is_name(&name, "priority") || is_name(&name, "data"))
            continue;
        if (ret_object->len == 0)
            *ret_first = name;
        add_member(ret_object, &name, &value);
    }
    if (ret_object->len > 0)
        buf_addc(ret_object, '}');
}

static struct span find_member(const char *text, const char *wanted)
{
    struct span name, value;
    const char *p = strchr(text, '{') + 1;
    while ((p = next_member(p, &name, &value)))
        if (is_name(&name, wanted))
            return value;
    return (struct span){"", 0};
}

/* The member "data" alone, or else all the others. */
static enum rc read_data(const char *text, const char *key_name, struct buf *data, struct err *err)
{
    struct span first = {"", 0}, given = {"", 0};
    if (strcmp(key_name, "data") != 0)
        given = find_member(text, "data");
    take_others(text, key_name, data, &first);
    if (given.len == 0)
        return RC_OK;
    if (data->len > 0)
        return err_set(err, RC_INVALID, "%.*s stands beside \"data\": move it into data",
            first.len > 60 ? 60 : (int)first.len, first.at);
    if (given.len != 4 || memcmp(given.at, "null", 4) != 0)
        buf_add(data, given.at, given.len);
    return RC_OK;
}

static enum rc read_object(const json_t *object, const char *text, const char *key_name,
    struct jsonl_item *item, struct err *err)
{
    const json_t *key = json_object_get(object, key_name);
    const json_t *priority = json_object_get(object, "priority");
    if (!key)
        return err_set(err, RC_NOTFOUND, "no \"%s\" in this object", key_name);
    struct span raw = find_member(text, key_name);
    enum rc rc = read_key(key, &raw, key_name, &item->key, err);
    if (!rc && priority && strcmp(key_name, "priority") != 0)
        rc = read_priority(priority, item, err);
    return rc ? rc : read_data(text, key_name, &item->data, err);
}

/* Digits, perhaps a sign, that need no rounding. */
static bool read_whole(const struct plain_part *raw, int64_t *ret)
{
    char digits[12];
    if (raw->len >= sizeof(digits))
        return false;
    memcpy(digits, raw->at, raw->len);
    digits[raw->len] = '\0';
    return text_int(digits, -PRIORITY_MAX, PRIORITY_MAX, ret, NULL) == RC_OK;
}

/* All members but the key and the priority, as they are written. */
static void take_plain_others(const struct plain_object *object, const struct plain_part *key,
    const struct plain_part *priority, struct buf *data)
{
    for (size_t i = 0; i < object->len; i++) {
        const struct plain_part *name = &object->members[i].name,
                                *value = &object->members[i].value;
        if (value == key || value == priority)
            continue;
        struct span quoted = {name->at - 1, name->len + 2}, raw = {value->at, value->len};
        add_member(data, &quoted, &raw);
    }
    if (data->len > 0)
        buf_addc(data, '}');
}

static bool is_plain_key(const struct plain_part *key)
{
    return key && *key->at == '"' && !memchr(key->at, '\\', key->len) &&
           text_check_key(key->at + 1, key->len - 2, NULL) == RC_OK;
}

/* The usual line: a key in plain text, a priority in digits, and data. False: it is another one,
 * good or bad; *item is as it was. */
static bool read_plain(const char *line, size_t len, const char *key_name, struct jsonl_item *item)
{
    struct plain_object object;
    int64_t number = 0;
    if (!plain_parse(line, len, &object))
        return false;
    const struct plain_part *key = plain_find(&object, key_name);
    const struct plain_part *data = plain_find(&object, "data");
    const struct plain_part *priority = plain_find(&object, "priority");
    if (!is_plain_key(key) || key == data || key == priority ||
        (priority && !read_whole(priority, &number)) ||
        (data && object.len != 2U + (priority != NULL)))
        return false;
    item->has_priority = priority != NULL;
    item->priority = number;
    buf_add(&item->key, key->at + 1, key->len - 2);
    if (!data)
        take_plain_others(&object, key, priority, &item->data);
    else if (data->len != 4 || memcmp(data->at, "null", 4) != 0)
        buf_add(&item->data, data->at, data->len);
    return true;
}

void jsonl_fini(struct jsonl_item *item)
{
    if (!item)
        return;
    buf_fini(&item->key);
    buf_fini(&item->data);
}

enum rc jsonl_parse(
    const char *line, size_t len, const char *key_name, struct jsonl_item *item, struct err *err)
{
    json_error_t why;
    buf_reset(&item->key);
    buf_reset(&item->data);
    item->has_priority = false;
    item->priority = 0;
    if (read_plain(line, len, key_name, item))
        return RC_OK;
    CLEANUP(drop_json)
    json_t *value = json_loadb(
        line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &why);
    if (!value)
        return err_set(err, RC_INVALID, "not valid JSON: %s (column %d); one JSON object a line",
            why.text, why.column);
    if (json_is_object(value))
        return read_object(value, line, key_name, item, err);
    if (!json_is_string(value) && !json_is_number(value))
        return err_set(
            err, RC_INVALID, "not a JSON object like {\"%s\":\"…\",\"data\":{…}}", key_name);
    struct span raw = value_at(skip_space(line));
    return read_key(value, &raw, key_name, &item->key, err);
}
