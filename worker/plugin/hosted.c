#include "worker/plugin/hosted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/json_scan.h"
#include "common/protocol/message.h"
#include "worker/plugin/path.h"

enum { EXIT_BROKEN = 70 };

/* A message under way. */
struct saying {
    struct hosted *h;
    struct buf line;
    struct json j;
    const char *wrong; /* NULL: nothing so far */
};

static void begin(struct saying *s, struct hosted *h, const char *type, bool has_key)
{
    *s = (struct saying){.h = h};
    json_init(&s->j, &s->line);
    json_open_object(&s->j, NULL);
    json_str(&s->j, "type", type);
    json_int(&s->j, "id", h->id);
    if (has_key && h->is_batch)
        json_str(&s->j, "key", h->shown.key);
}

static void add_text(struct saying *s, const char *name, const char *text)
{
    if (text)
        json_str(&s->j, name, text);
}

static void add_json(struct saying *s, const char *name, const char *text)
{
    CLEANUP(buf_fini) struct buf compact = BUF_INIT;
    if (!json_minify(text, strlen(text), &compact))
        s->wrong = "what should be JSON is none";
    else
        json_raw(&s->j, name, buf_str(&compact));
}

static void add_count(struct saying *s, const char *name, int64_t count)
{
    if (count >= 0)
        json_int(&s->j, name, count);
}

static void add_seconds(struct saying *s, const char *name, double seconds)
{
    if (seconds >= 0)
        json_num(&s->j, name, seconds);
}

static void add_items(struct saying *s, const struct stint_item *items, size_t len)
{
    json_open_array(&s->j, "items");
    for (size_t i = 0; i < len; i++) {
        json_open_object(&s->j, NULL);
        add_text(s, "key", items[i].key);
        add_text(s, "job", items[i].job);
        if (items[i].data)
            add_json(s, "data", items[i].data);
        if (items[i].priority)
            json_int(&s->j, "priority", items[i].priority);
        json_end_object(&s->j);
    }
    json_end_array(&s->j);
}

/* Whoever cannot speak can do nothing but leave: the worker sees that. */
static void send(struct hosted *h, const struct buf *line)
{
    struct err err = {""};
    if (wire_say(h->wire, line->data, line->len, &err) == RC_OK)
        return;
    if (wire_may_complain(h->wire))
        fprintf(stderr, "stint-plugin: %s\n", err.text);
    _exit(EXIT_BROKEN);
}

static void refuse(struct hosted *h, const char *type, const char *why)
{
    struct saying s;
    begin(&s, h, "fail", true);
    CLEANUP_FREE char *text = xasprintf("the plugin's %s: %s", type, why);
    json_str(&s.j, "why", text);
    json_end_object(&s.j);
    buf_addc(&s.line, '\n');
    h->has_outcome = true;
    send(h, &s.line);
    buf_fini(&s.line);
}

static void end(struct saying *s, const char *type)
{
    struct hosted *h = s->h;
    struct message m = MESSAGE_INIT;
    struct err err = {""};
    json_end_object(&s->j);
    if (h->has_outcome) {
        fprintf(stderr, "stint-plugin: %s after the outcome of %s: dropped\n", type, h->shown.key);
    } else if (s->wrong) {
        refuse(h, type, s->wrong);
    } else if (s->line.len > MESSAGE_MAX_BYTES) {
        refuse(h, type, "longer than a message may be");
    } else if (message_parse(s->line.data, s->line.len, &m, NULL, &err) != RC_OK) {
        refuse(h, type, err.text);
    } else {
        h->has_outcome = message_is_outcome(m.type);
        buf_addc(&s->line, '\n');
        send(h, &s->line);
    }
    message_fini(&m);
    buf_fini(&s->line);
}

static struct hosted *of(struct stint_run *run)
{
    return (struct hosted *)(void *)run;
}

static void progress(struct stint_run *run, int64_t done, int64_t failed, int64_t total)
{
    struct saying s;
    begin(&s, of(run), "progress", true);
    add_count(&s, "done", done);
    add_count(&s, "failed", failed);
    add_count(&s, "total", total);
    end(&s, "progress");
}

static void checkpoint(struct stint_run *run, const char *json)
{
    struct saying s;
    begin(&s, of(run), "checkpoint", true);
    add_json(&s, "data", json ? json : "null");
    end(&s, "checkpoint");
}

static void cost(struct stint_run *run, double usd, int64_t tokens, const char *label)
{
    struct saying s;
    begin(&s, of(run), "cost", true);
    if (usd != -1)
        json_num(&s.j, "usd", usd);
    add_count(&s, "tokens", tokens);
    add_text(&s, "of", label);
    end(&s, "cost");
}

static void limit(struct stint_run *run, const char *resource, const char *key, double after_s)
{
    struct saying s;
    begin(&s, of(run), "limit", false);
    add_text(&s, "resource", resource);
    add_text(&s, "key", key);
    add_seconds(&s, "retry_after", after_s);
    end(&s, "limit");
}

static void spawn(struct stint_run *run, const struct stint_item *items, size_t len)
{
    struct saying s;
    begin(&s, of(run), "spawn", true);
    add_items(&s, items, len);
    end(&s, "spawn");
}

static void say_log(struct stint_run *run, const char *level, const char *text)
{
    struct saying s;
    begin(&s, of(run), "log", true);
    add_text(&s, "level", level);
    add_text(&s, "text", text ? text : "");
    end(&s, "log");
}

static void done(struct stint_run *run, const char *json)
{
    struct saying s;
    begin(&s, of(run), "done", true);
    add_json(&s, "result", json ? json : "null");
    end(&s, "done");
}

static void say_end(struct stint_run *run, const char *outcome, const char *why, double after_s)
{
    struct saying s;
    begin(&s, of(run), outcome, true);
    add_text(&s, "why", why);
    add_seconds(&s, "after", after_s);
    end(&s, outcome);
}

static void say_wait(
    struct stint_run *run, const struct stint_item *items, size_t len, const char *on_failure)
{
    struct saying s;
    begin(&s, of(run), "wait", true);
    add_items(&s, items, len);
    add_text(&s, "on_failure", on_failure);
    end(&s, "wait");
}

static int is_cancelled(struct stint_run *run)
{
    return wire_is_cancelled(of(run)->wire);
}

/* Takes text; NULL stays NULL. */
static const char *keep(struct hosted *h, char *text)
{
    if (!text)
        return NULL;
    if (h->kept_len == h->kept_cap) {
        h->kept_cap = h->kept_cap ? h->kept_cap * 2 : 16;
        h->kept = xrealloc(h->kept, h->kept_cap * sizeof(*h->kept));
    }
    h->kept[h->kept_len++] = text;
    return text;
}

static const char *get(struct stint_run *run, const char *path, int is_json)
{
    struct hosted *h = of(run);
    char *(*read)(const char *, const char *) = is_json ? path_json : path_text;
    char *found = h->item ? read(h->item, path) : NULL;
    return keep(h, found ? found : read(h->shown.request, path));
}

static const struct stint_host host = {
    .abi = STINT_PLUGIN_ABI,
    .size = sizeof(host),
    .progress = progress,
    .checkpoint = checkpoint,
    .cost = cost,
    .limit = limit,
    .spawn = spawn,
    .log = say_log,
    .done = done,
    .end = say_end,
    .wait = say_wait,
    .is_cancelled = is_cancelled,
    .get = get,
};

static const char *text_or(struct hosted *h, const char *path, const char *preset)
{
    const char *found = get(&h->shown, path, false);
    return found ? found : preset;
}

static const char *json_or(struct hosted *h, const char *path, const char *preset)
{
    const char *found = get(&h->shown, path, true);
    return found ? found : preset;
}

void hosted_init(struct hosted *h, struct wire *wire, const struct ask *ask, const char *item)
{
    *h = (struct hosted){.wire = wire, .id = ask->id, .is_batch = item != NULL};
    h->item = item ? xstrdup(item) : NULL;
    h->shown = (struct stint_run){
        .abi = STINT_PLUGIN_ABI, .size = sizeof(h->shown), .host = &host, .request = ask->line};
    h->shown.job = text_or(h, "job", "");
    h->shown.stage = text_or(h, "stage", "");
    h->shown.key = text_or(h, "key", "");
    h->shown.data = json_or(h, "data", "{}");
    h->shown.checkpoint = json_or(h, "checkpoint", NULL);
    h->shown.inputs = json_or(h, "inputs", "{}");
    h->shown.claim = text_or(h, "claim", "");
    h->shown.attempt = path_int(item ? item : ask->line, "attempt");
    h->shown.max_attempts = path_int(item ? item : ask->line, "max_attempts");
    h->shown.deadline_ms = path_int(ask->line, "deadline_ms");
}

void hosted_fini(struct hosted *h)
{
    for (size_t i = 0; i < h->kept_len; i++)
        free(h->kept[i]);
    free(h->kept);
    free(h->item);
    *h = (struct hosted){.wire = NULL};
}

enum rc hosted_hello(struct wire *wire, const char *version, struct err *err)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    CLEANUP(message_fini) struct message m = MESSAGE_INIT;
    struct json j;
    json_init(&j, &line);
    json_open_object(&j, NULL);
    json_str(&j, "type", "hello");
    json_int(&j, "protocol", PROTOCOL_VERSION);
    if (version)
        json_str(&j, "version", version);
    json_end_object(&j);
    enum rc rc = message_parse(line.data, line.len, &m, NULL, err);
    buf_addc(&line, '\n');
    return rc ? rc : wire_say(wire, line.data, line.len, err);
}
