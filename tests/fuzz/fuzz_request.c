/* Whatever an item is called and bears: its request is one line of JSON that gives it back. The
 * input is cut into texts at its NULs. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_scan.h"
#include "common/base/text.h"
#include "common/protocol/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXTS = 6 };

static const char *or_else(const char *text, const char *other)
{
    return text_is_utf8(text, strlen(text)) ? text : other;
}

/* The text if it is JSON, else a string of it. */
static char *as_json(const char *text)
{
    struct buf out = BUF_INIT;
    if (!text_is_utf8(text, strlen(text)) || !json_minify(text, strlen(text), &out)) {
        buf_reset(&out);
        buf_adds(&out, "null");
    }
    return buf_take(&out);
}

static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert(value);
    return value;
}

static void check(const struct buf *line, const struct request *r, const char *key, bool is_batch)
{
    assert(line->len > 0 && line->data[line->len - 1] == '\n');
    assert(memchr(line->data, '\n', line->len) == line->data + line->len - 1);
    json_t *object =
        json_loadb(line->data, line->len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    if (!object) { /* nested too deeply for jansson's reader, or a number beyond a double */
        return;
    }
    const json_t *item = is_batch ? json_array_get(member(object, "items"), 1) : object;
    assert(strcmp(json_string_value(member(item, "key")), key) == 0);
    assert(strcmp(json_string_value(member(object, "version")), r->version) == 0);
    json_decref(object);
}

static void write_both(const char *const texts[TEXTS])
{
    struct buf line = BUF_INIT;
    const char *key = or_else(texts[0], "k");
    char *json = as_json(texts[1]), *checkpoint = as_json(texts[2]);
    struct request r = {.id = 7,
        .job = or_else(texts[3], "j"),
        .stage = or_else(texts[4], "s"),
        .version = or_else(texts[5], ""),
        .deadline_ms = 1};
    struct request_item items[2] = {
        {.key = "first", .claim = "1-1"},
        {.key = key, .data = json, .checkpoint = checkpoint, .claim = "1-2"},
    };
    request_write_run(&r, &items[1], &line);
    check(&line, &r, key, false);
    buf_reset(&line);
    request_write_batch(&r, items, 2, &line);
    check(&line, &r, key, true);
    buf_fini(&line);
    free(json);
    free(checkpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *texts[TEXTS];
    struct buf all = BUF_INIT;
    buf_add(&all, data, size);
    for (int i = 0; i < TEXTS; i++)
        buf_addc(&all, '\0');
    const char *at = all.data;
    for (int i = 0; i < TEXTS; i++, at += strlen(at) + 1)
        texts[i] = at;
    write_both(texts);
    buf_fini(&all);
    return 0;
}
