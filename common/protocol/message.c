#include "common/protocol/message.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/protocol/items.h"
#include "common/protocol/member.h"

#define MS_PER_S 1000
#define AFTER_MAX_S ((double)366 * 86400)

#define MESSAGE_NAME(upper, lower) [MESSAGE_##upper] = #lower,
static const char *const names[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_UNKNOWN] = "unknown", MESSAGE_TYPES(MESSAGE_NAME)};
#undef MESSAGE_NAME

/* A message under way: the tree, and the text that raw members are cut out of. */
struct reading {
    const char *line;
    const json_t *object;
    struct message *m;
    size_t column;
    struct err *err;
};

static void drop_json(json_t **value)
{
    json_decref(*value);
}

const char *message_type_name(enum message_type type)
{
    return (unsigned)type < MESSAGE_TYPE_COUNT ? names[type] : names[MESSAGE_UNKNOWN];
}

bool message_is_outcome(enum message_type type)
{
    return type >= MESSAGE_DONE && type <= MESSAGE_WAIT;
}

static enum message_type type_of(const char *name)
{
    for (int i = MESSAGE_UNKNOWN + 1; i < MESSAGE_TYPE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum message_type)i;
    return MESSAGE_UNKNOWN;
}

/* The complaint about one member, and where it stands. */
static enum rc wrong(struct reading *r, const char *member, const char *must)
{
    const char *at = NULL;
    size_t len = 0;
    if (json_member(r->line, member, &at, &len))
        r->column = (size_t)(at - r->line) + 1;
    return err_set(
        r->err, RC_PROTO, "\"%s\" of %s %s", member, message_type_name(r->m->type), must);
}

static enum rc missing(struct reading *r, const char *member)
{
    return err_set(r->err, RC_PROTO, "%s without \"%s\"", message_type_name(r->m->type), member);
}

/* NULL: it is not there, or null. */
static const json_t *member(const struct reading *r, const char *name)
{
    const json_t *value = json_object_get(r->object, name);
    return json_is_null(value) ? NULL : value;
}

static enum rc read_text(struct reading *r, const char *name, size_t max, struct buf *ret)
{
    const json_t *value = member(r, name);
    if (!value)
        return RC_OK;
    if (!json_is_string(value))
        return wrong(r, name, "must be a string");
    if (json_string_length(value) > max)
        return wrong(r, name, "is too long");
    buf_add(ret, json_string_value(value), json_string_length(value));
    return RC_OK;
}

static enum rc read_count(struct reading *r, const char *name, bool *ret_has, int64_t *ret)
{
    const json_t *value = member(r, name);
    if (!value)
        return RC_OK;
    if (!member_is_whole(value, 0))
        return wrong(r, name, "must be a whole number from 0");
    *ret_has = true;
    *ret = (int64_t)json_number_value(value);
    return RC_OK;
}

/* Seconds, or text like "10m". */
static enum rc read_after(struct reading *r, const char *name)
{
    const json_t *value = member(r, name);
    double seconds = -1;
    if (!value)
        return RC_OK;
    if (json_is_number(value))
        seconds = json_number_value(value);
    if (json_is_string(value) &&
        text_duration_ms(json_string_value(value), &r->m->after_ms, NULL) == RC_OK)
        seconds = (double)r->m->after_ms / MS_PER_S;
    if (!(seconds >= 0 && seconds <= AFTER_MAX_S))
        return wrong(r, name, "must be seconds, or text like \"90s\", \"10m\", \"2h\"");
    r->m->after_ms = (int64_t)(seconds * MS_PER_S + 0.999); /* at least */
    return RC_OK;
}

static enum rc read_hello(struct reading *r)
{
    bool has = false;
    enum rc rc = read_count(r, "protocol", &has, &r->m->protocol);
    if (rc == RC_OK && !has)
        return missing(r, "protocol");
    return rc ? rc : read_text(r, "version", MESSAGE_LABEL_MAX, &r->m->text);
}

static enum rc read_progress(struct reading *r)
{
    static const char *const counts[] = {"done", "failed", "total"};
    struct json j;
    bool has_any = false;
    json_init(&j, &r->m->json);
    json_open_object(&j, NULL);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        bool has = false;
        int64_t count = 0;
        enum rc rc = read_count(r, counts[i], &has, &count);
        if (rc)
            return rc;
        if (has)
            json_int(&j, counts[i], count);
        has_any = has_any || has;
    }
    json_end_object(&j);
    return has_any
               ? RC_OK
               : err_set(r->err, RC_PROTO, "progress without \"done\", \"failed\" or \"total\"");
}

static enum rc read_checkpoint(struct reading *r)
{
    if (!member_cut(r->line, "data", &r->m->json))
        return wrong(r, "data", MEMBER_TOO_DEEP);
    return r->m->json.len > 0 ? RC_OK : missing(r, "data");
}

static enum rc read_cost(struct reading *r)
{
    const json_t *usd = member(r, "usd");
    bool has_tokens = false;
    double cost = usd && json_is_number(usd) ? json_number_value(usd) : 0;
    if (usd && (!json_is_number(usd) || !(cost >= 0 && cost <= MEMBER_NUMBER_MAX)))
        return wrong(r, "usd", "must be a number from 0");
    r->m->cost_usd = cost;
    enum rc rc = read_count(r, "tokens", &has_tokens, &r->m->tokens);
    if (rc == RC_OK && !usd && !has_tokens)
        return err_set(r->err, RC_PROTO, "cost without \"usd\" or \"tokens\"");
    return rc ? rc : read_text(r, "of", MESSAGE_LABEL_MAX, &r->m->text);
}

static enum rc read_limit(struct reading *r)
{
    enum rc rc = read_text(r, "resource", MESSAGE_LABEL_MAX, &r->m->text);
    if (rc == RC_OK)
        rc = read_after(r, "retry_after");
    if (rc == RC_OK && r->m->text.len > 0 && !text_is_name(buf_str(&r->m->text)))
        return wrong(r, "resource", "is no name of a resource");
    return rc;
}

static enum rc read_log(struct reading *r)
{
    static const char *const levels[] = {
        [MESSAGE_DEBUG] = "debug",
        [MESSAGE_INFO] = "info",
        [MESSAGE_WARN] = "warn",
        [MESSAGE_ERROR] = "error",
    };
    const json_t *level = member(r, "level");
    size_t i = MESSAGE_INFO;
    if (level && !json_is_string(level))
        return wrong(r, "level", "must be debug, info, warn or error");
    if (level)
        for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
            if (strcmp(levels[i], json_string_value(level)) == 0)
                break;
    if (i == sizeof(levels) / sizeof(levels[0]))
        return wrong(r, "level", "must be debug, info, warn or error");
    r->m->level = (enum message_level)i;
    if (!member(r, "text"))
        return missing(r, "text");
    return read_text(r, "text", MESSAGE_MAX_BYTES, &r->m->text);
}

/* ---- items of spawn and wait ---- */

static enum rc wrong_item(struct reading *r, const char *at, const char *why)
{
    const size_t n = r->m->items_len;
    r->column = (size_t)(at - r->line) + 1;
    return err_set(r->err, RC_PROTO, "item %zu of %s: %s", n, message_type_name(r->m->type), why);
}

static enum rc read_items(struct reading *r)
{
    const json_t *items = member(r, "items");
    const char *raw = NULL;
    size_t len = 0;
    if (!items)
        return missing(r, "items");
    if (!json_is_array(items))
        return wrong(r, "items", "must be an array");
    if (json_array_size(items) > MESSAGE_ITEMS_MAX)
        return wrong(r, "items", "has more than 10000 items; say several messages");
    (void)json_member(r->line, "items", &raw, &len);
    const char *why = items_read(items, &raw, r->m);
    return why ? wrong_item(r, raw, why) : RC_OK;
}

/* ---- outcomes ---- */

static enum rc read_done(struct reading *r)
{
    if (!member_cut(r->line, "result", &r->m->json))
        return wrong(r, "result", MEMBER_TOO_DEEP);
    if (r->m->json.len == 0)
        buf_adds(&r->m->json, "null");
    return RC_OK;
}

static enum rc read_why(struct reading *r)
{
    enum rc rc = read_text(r, "why", MESSAGE_MAX_BYTES, &r->m->text);
    return rc ? rc : read_after(r, "after");
}

static enum rc read_wait(struct reading *r)
{
    const json_t *rule = member(r, "on_failure");
    const char *word = rule && json_is_string(rule) ? json_string_value(rule) : "";
    if (rule && strcmp(word, "fail") != 0 && strcmp(word, "continue") != 0)
        return wrong(r, "on_failure", "must be fail or continue");
    r->m->continues = strcmp(word, "continue") == 0;
    enum rc rc = read_items(r);
    return rc == RC_OK && r->m->items_len == 0
               ? wrong(r, "items", "must name at least one item to wait for")
               : rc;
}

static enum rc read_head(struct reading *r)
{
    const json_t *id = member(r, "id");
    if (id && !member_is_whole(id, 0))
        return wrong(r, "id", "must be the whole number of the request");
    r->m->has_id = id != NULL;
    r->m->id = id ? (int64_t)json_number_value(id) : 0;
    r->m->has_key = member(r, "key") != NULL;
    r->m->is_key_null = json_is_null(json_object_get(r->object, "key"));
    return read_text(r, "key", KEY_MAX_BYTES, &r->m->key);
}

static enum rc read_body(struct reading *r)
{
    static enum rc (*const readers[MESSAGE_TYPE_COUNT])(struct reading *) = {
        [MESSAGE_HELLO] = read_hello,
        [MESSAGE_PROGRESS] = read_progress,
        [MESSAGE_CHECKPOINT] = read_checkpoint,
        [MESSAGE_COST] = read_cost,
        [MESSAGE_LIMIT] = read_limit,
        [MESSAGE_SPAWN] = read_items,
        [MESSAGE_LOG] = read_log,
        [MESSAGE_DONE] = read_done,
        [MESSAGE_SKIP] = read_why,
        [MESSAGE_RETRY] = read_why,
        [MESSAGE_SNOOZE] = read_why,
        [MESSAGE_FAIL] = read_why,
        [MESSAGE_WAIT] = read_wait,
    };
    return readers[r->m->type](r);
}

static void reset(struct message *m)
{
    items_reset(m);
    buf_reset(&m->key);
    buf_reset(&m->json);
    buf_reset(&m->text);
    *m = (struct message){
        .key = m->key,
        .json = m->json,
        .text = m->text,
        .items = m->items,
        .items_cap = m->items_cap,
        .after_ms = -1,
        .level = MESSAGE_INFO,
    };
}

void message_fini(struct message *m)
{
    if (!m)
        return;
    reset(m);
    buf_fini(&m->key);
    buf_fini(&m->json);
    buf_fini(&m->text);
    free(m->items);
    *m = (struct message)MESSAGE_INIT;
}

/* jansson tells where it stopped: behind the word that it did not expect. That word's beginning is
 * the place to look at. */
static size_t begin_of_word(const struct reading *r, const json_error_t *why)
{
    size_t end = why->position > 0 ? (size_t)why->position : 0;
    const char *word = strstr(why->text, " near '");
    bool is_word = strncmp(why->text, "invalid token", 13) == 0 || strstr(why->text, "expected") ||
                   strncmp(why->text, "duplicate", 9) == 0;
    if (!word || !is_word)
        return end;
    word += strlen(" near '");
    size_t len = strlen(word) - 1;
    bool is_there = len > 0 && len <= end && strncmp(r->line + end - len, word, len) == 0;
    return is_there ? end - len + 1 : end;
}

static enum rc not_json(struct reading *r, const json_error_t *why)
{
    r->column = begin_of_word(r, why);
    return err_set(r->err, RC_PROTO, "not valid JSON: %s", why->text);
}

static enum rc read_message(struct reading *r)
{
    if (!json_is_object(r->object))
        return err_set(r->err, RC_PROTO, "not a JSON object like {\"type\":\"done\"}");
    const json_t *type = json_object_get(r->object, "type");
    if (!type)
        return err_set(r->err, RC_PROTO, "an object without \"type\"");
    if (!json_is_string(type))
        return wrong(r, "type", "must be a string");
    r->m->type = type_of(json_string_value(type));
    if (r->m->type == MESSAGE_UNKNOWN)
        return RC_OK;
    enum rc rc = read_head(r);
    return rc ? rc : read_body(r);
}

enum rc message_parse(
    const char *line, size_t len, struct message *m, size_t *ret_column, struct err *err)
{
    json_error_t why;
    struct reading r = {.line = line, .m = m, .err = err};
    reset(m);
    CLEANUP(drop_json)
    json_t *object = json_loadb(
        line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &why);
    r.object = object;
    enum rc rc = object ? read_message(&r) : not_json(&r, &why);
    if (rc && ret_column)
        *ret_column = r.column;
    return rc;
}
