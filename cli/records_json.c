/* One JSON object → key, data, priority. jansson says whether it is valid; the data itself is cut
 * out of the text as it was written, so that no number changes its form on the way. */
#include <jansson.h>
#include <string.h>

#include "cli/records.h"
#include "common/base/text.h"

/* A piece of the text. */
struct span {
    const char *at;
    size_t len;
};

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

static const char *skip_value(const char *p)
{
    int depth = 0;
    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        p++;
    } while (*p && (depth > 0 || !strchr(",}] \t\r\n", *p)));
    return p;
}

/* The next member of an object known to be valid; p stands behind '{' or a value. */
static const char *next_member(const char *p, struct span *name, struct span *value)
{
    p = skip_space(p);
    if (*p == ',')
        p = skip_space(p + 1);
    if (*p != '"')
        return NULL;
    name->at = p;
    p = skip_string(p);
    name->len = (size_t)(p - name->at);
    p = skip_space(skip_space(p) + 1);
    value->at = p;
    p = skip_value(p);
    value->len = (size_t)(p - value->at);
    return p;
}

static bool span_is(const struct span *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->at, text, s->len) == 0;
}

static enum rc read_key(
    const json_t *value, const struct span *raw, struct buf *key, struct err *err)
{
    buf_reset(key);
    if (json_is_string(value))
        buf_add(key, json_string_value(value), json_string_length(value));
    else if (json_is_number(value) && strspn(raw->at, "-0123456789") == raw->len)
        buf_add(key, raw->at, raw->len);
    else
        return err_set(err, RC_INVALID, "\"key\" must be a string");
    return text_check_key(buf_str(key), key->len, err);
}

static enum rc read_priority(const json_t *value, struct record *ret, struct err *err)
{
    double number = json_is_number(value) ? json_number_value(value) : PRIORITY_MAX + 1;
    if (number < -PRIORITY_MAX || number > PRIORITY_MAX || (double)(int64_t)number != number)
        return err_set(err, RC_INVALID, "\"priority\" must be a whole number from -%d to %d",
            PRIORITY_MAX, PRIORITY_MAX);
    ret->priority = (int64_t)number;
    ret->has_priority = true;
    return RC_OK;
}

static enum rc take_members(const json_t *object, const char *text, struct buf *key,
    struct buf *data, struct record *ret, struct err *err)
{
    struct span name, value, first_other = {NULL, 0};
    const char *p = strchr(text, '{') + 1;
    bool has_data = json_object_get(object, "data") != NULL;
    buf_reset(data);
    while ((p = next_member(p, &name, &value))) {
        enum rc rc = RC_OK;
        if (span_is(&name, "\"key\"")) {
            rc = read_key(json_object_get(object, "key"), &value, key, err);
            ret->key = buf_str(key);
        } else if (span_is(&name, "\"priority\"")) {
            rc = read_priority(json_object_get(object, "priority"), ret, err);
        } else if (span_is(&name, "\"data\"")) {
            if (!span_is(&value, "null"))
                buf_add(data, value.at, value.len);
        } else if (has_data) {
            first_other = first_other.at ? first_other : name;
        } else {
            buf_addc(data, data->len ? ',' : '{');
            buf_add(data, name.at, name.len);
            buf_addc(data, ':');
            buf_add(data, value.at, value.len);
        }
        if (rc)
            return rc;
    }
    if (first_other.at)
        return err_set(err, RC_INVALID, "%.*s stands beside \"data\": move it into data",
            first_other.len > 60 ? 60 : (int)first_other.len, first_other.at);
    if (!has_data && data->len)
        buf_addc(data, '}');
    return RC_OK;
}

enum rc record_from_json(const char *text, size_t len, struct buf *key, struct buf *data,
    struct record *ret, struct err *err)
{
    json_error_t why;
    json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &why);
    if (!object)
        return err_set(err, RC_INVALID, "not valid JSON: %s (column %d)", why.text, why.column);
    enum rc rc = RC_OK;
    if (!json_is_object(object))
        rc = err_set(err, RC_INVALID, "not a JSON object like {\"key\":\"…\",\"data\":{…}}");
    if (!rc)
        rc = take_members(object, text, key, data, ret, err);
    if (!rc && !ret->key)
        rc = err_set(err, RC_INVALID, "no \"key\" in this object");
    if (!rc)
        ret->data = data->len ? buf_str(data) : NULL;
    json_decref(object);
    return rc;
}
