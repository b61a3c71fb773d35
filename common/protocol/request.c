#include "common/protocol/request.h"

#include "common/base/json.h"

static void add_item(struct json *j, const struct request_item *item)
{
    json_str(j, "key", item->key);
    json_raw(j, "data", item->data);
    json_int(j, "attempt", item->attempt);
    json_int(j, "max_attempts", item->max_attempts);
    json_raw(j, "checkpoint", item->checkpoint);
    json_raw(j, "inputs", item->inputs ? item->inputs : "{}");
    json_raw(j, "waited", item->waited ? item->waited : "[]");
    json_str(j, "claim", item->claim);
}

static void open_request(struct json *j, const struct request *r, struct buf *out)
{
    json_init(j, out);
    json_open_object(j, NULL);
    json_str(j, "type", "run");
    json_int(j, "id", r->id);
    json_str(j, "job", r->job);
    json_str(j, "stage", r->stage);
}

static void close_request(struct json *j, const struct request *r, struct buf *out)
{
    json_int(j, "deadline_ms", r->deadline_ms);
    json_str(j, "version", r->version);
    json_end_object(j);
    buf_addc(out, '\n');
}

void request_write_run(const struct request *r, const struct request_item *item, struct buf *out)
{
    struct json j;
    open_request(&j, r, out);
    add_item(&j, item);
    close_request(&j, r, out);
}

void request_write_batch(
    const struct request *r, const struct request_item *items, size_t len, struct buf *out)
{
    struct json j;
    open_request(&j, r, out);
    json_open_array(&j, "items");
    for (size_t i = 0; i < len; i++) {
        json_open_object(&j, NULL);
        add_item(&j, &items[i]);
        json_end_object(&j);
    }
    json_end_array(&j);
    close_request(&j, r, out);
}

void request_write_cancel(int64_t id, struct buf *out)
{
    struct json j;
    json_init(&j, out);
    json_open_object(&j, NULL);
    json_str(&j, "type", "cancel");
    json_int(&j, "id", id);
    json_end_object(&j);
    buf_addc(out, '\n');
}
