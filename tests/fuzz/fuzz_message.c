/* Whatever bytes a handler says, cut anywhere: no crash, no lost invariant. The first byte says
 * where the stream is cut. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/base/json_scan.h"
#include "common/base/text.h"
#include "common/protocol/message.h"
#include "common/protocol/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(const struct buf *json)
{
    struct buf again = BUF_INIT;
    assert(json_minify(buf_str(json), json->len, &again));
    assert(again.len == json->len && memcmp(again.data, json->data, again.len) == 0);
    buf_fini(&again);
}

static void check_items(const struct message *m)
{
    for (size_t i = 0; i < m->items_len; i++) {
        const struct message_item *item = &m->items[i];
        assert(text_check_key(item->key, strlen(item->key), NULL) == RC_OK);
        assert(!item->job || text_is_name(item->job));
        assert(item->priority >= -PRIORITY_MAX && item->priority <= PRIORITY_MAX);
        if (item->data) {
            struct buf json = {item->data, strlen(item->data), 0};
            check_json(&json);
        }
    }
}

static void check_good(const struct message *m)
{
    assert(m->type < MESSAGE_TYPE_COUNT);
    assert(m->id >= 0 && m->after_ms >= -1 && m->cost_usd >= 0 && m->tokens >= 0);
    assert(text_is_utf8(buf_str(&m->text), m->text.len));
    assert(m->type == MESSAGE_DONE || m->type == MESSAGE_CHECKPOINT ||
           m->type == MESSAGE_PROGRESS || m->json.len == 0);
    if (m->json.len > 0)
        check_json(&m->json);
    check_items(m);
}

static void take_lines(struct stream *s, struct message *m)
{
    const char *line;
    size_t len;
    struct err err;
    enum rc rc;
    while ((rc = stream_next(s, &line, &len, &err)) == RC_ROW) {
        size_t column = 0;
        assert(line[len] == '\0' && strlen(line) == len);
        err.text[0] = '\0';
        rc = message_parse(line, len, m, &column, &err);
        assert(rc == RC_OK || rc == RC_PROTO);
        assert(column <= len + 1);
        if (rc == RC_OK)
            check_good(m);
        else
            assert(err.text[0] != '\0');
    }
    assert(rc == RC_AGAIN || rc == RC_PROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream s = STREAM_INIT;
    struct message m = MESSAGE_INIT;
    size_t step = size > 0 ? (size_t)data[0] + 1 : 1;
    for (size_t at = 1; at < size; at += step) {
        buf_add(stream_room(&s), data + at, size - at < step ? size - at : step);
        take_lines(&s, &m);
    }
    stream_end(&s);
    take_lines(&s, &m);
    message_fini(&m);
    stream_fini(&s);
    return 0;
}
