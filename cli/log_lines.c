#include "cli/log_lines.h"

#include <string.h>

#include "cli/show.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/text.h"

void log_lines_init(struct log_lines *l, bool is_json, bool has_color)
{
    *l = (struct log_lines){.is_json = is_json, .has_color = has_color, .out = BUF_INIT};
}

void log_lines_fini(struct log_lines *l)
{
    buf_fini(&l->out);
}

static enum tone tone_of(const char *name)
{
    if (strcmp(name, "error") == 0 || strcmp(name, "end") == 0)
        return TONE_BAD;
    return strcmp(name, "warn") == 0 ? TONE_WARN : TONE_NONE;
}

static void add_text(struct log_lines *l, const struct live_lines *of, const char *text, size_t len)
{
    struct buf lead CLEANUP(buf_fini) = BUF_INIT, shown CLEANUP(buf_fini) = BUF_INIT;
    char time[40];
    buf_addf(&lead, "%s %s.%s ", clock_format_wall(of->when_wall_ms, time, sizeof(time)), of->job,
        of->stage);
    text_add_printable(&lead, of->key, strlen(of->key));
    buf_addf(&lead, " #%lld %s:", (long long)of->attempt, of->name);
    text_add_printable(&shown, text, len);
    tone_add(&l->out, TONE_FAINT, l->has_color, buf_str(&lead));
    buf_addc(&l->out, ' ');
    tone_add(&l->out, tone_of(of->name), l->has_color, buf_str(&shown));
    buf_addc(&l->out, '\n');
}

/* Text of a ring is as the handler wrote it: JSON takes UTF-8 only. */
static void add_json(struct log_lines *l, const struct live_lines *of, const char *text, size_t len)
{
    struct buf clean CLEANUP(buf_fini) = BUF_INIT;
    struct json j;
    for (size_t i = 0; i < len;) {
        size_t n = text_utf8_step(text + i, len - i);
        buf_add(&clean, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
        i += n ? n : 1;
    }
    json_init(&j, &l->out);
    json_open_object(&j, NULL);
    json_str(&j, "schema", "stint.log/1");
    json_time(&j, "ts", of->when_wall_ms);
    json_str(&j, "job", of->job);
    json_str(&j, "stage", of->stage);
    json_str(&j, "key", of->key);
    json_int(&j, "attempt", of->attempt);
    json_str(&j, "claim", of->claim);
    json_str(&j, "stream", of->name);
    json_strn(&j, "text", buf_str(&clean), clean.len);
    json_end_object(&j);
    buf_addc(&l->out, '\n');
}

static void add_all(struct log_lines *l, const struct live_lines *of, const char *text)
{
    for (bool is_more = true; is_more;) {
        size_t len = strcspn(text, "\n");
        if (l->is_json)
            add_json(l, of, text, len);
        else
            add_text(l, of, text, len);
        l->count++;
        text += len + (text[len] == '\n');
        is_more = *text != '\0';
    }
}

void log_lines_add(struct log_lines *l, const struct live_lines *lines)
{
    add_all(l, lines, lines->text);
}

static const char *text_of(const json_t *data, const char *member)
{
    const char *text = json_string_value(json_object_get(data, member));
    return text ? text : "";
}

static void add_end(struct log_lines *l, struct live_lines *of, const json_t *data)
{
    struct buf text CLEANUP(buf_fini) = BUF_INIT;
    const char *why = text_of(data, json_object_get(data, "why") ? "why" : "cause");
    const char *how = text_of(data, "how"), *next = text_of(data, "next");
    bool has_both = how[0] && why[0] && !strstr(why, how);
    buf_addf(&text, "%s%s%s%s%s", has_both ? how : "", has_both ? ": " : "", why[0] ? why : how,
        next[0] ? " → " : "", next);
    of->name = "end";
    add_all(l, of, buf_str(&text));
}

void log_lines_add_entry(struct log_lines *l, const struct log_entry *entry)
{
    static const char *const streams[] = {"stderr", "log", "stdout"};
    struct live_lines of = {
        .when_wall_ms = entry->ts_wall_ms,
        .attempt = json_integer_value(json_object_get(entry->data, "attempt")),
        .claim = text_of(entry->data, "claim"),
        .job = entry->job,
        .stage = entry->stage,
        .key = entry->key,
    };
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        const char *text = text_of(entry->data, streams[i]);
        of.name = streams[i];
        if (text[0])
            add_all(l, &of, text);
    }
    add_end(l, &of, entry->data);
}
