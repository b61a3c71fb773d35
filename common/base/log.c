#include "common/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log_target.h"
#include "common/base/text.h"

static const char *log_proc = "stint";
static int log_slot = -1;
static enum log_level log_limit = LOG_LEVEL_INFO;

/* One byte stays free for the newline. */
static void add(struct logline *l, const char *text, size_t len)
{
    size_t room = sizeof(l->text) - 1 - l->len;
    if (len > room)
        len = room;
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void adds(struct logline *l, const char *text)
{
    add(l, text, strlen(text));
}

static bool wants_quotes(const char *value)
{
    if (!*value)
        return true;
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p <= ' ' || *p == '"' || *p == '\\' || *p == '=' || *p >= 0x7f)
            return true;
    }
    return false;
}

static void add_escaped(struct logline *l, unsigned char c)
{
    char hex[8];
    switch (c) {
    case '"':
        adds(l, "\\\"");
        break;
    case '\\':
        adds(l, "\\\\");
        break;
    case '\n':
        adds(l, "\\n");
        break;
    case '\r':
        adds(l, "\\r");
        break;
    case '\t':
        adds(l, "\\t");
        break;
    default:
        (void)snprintf(hex, sizeof(hex), "\\x%02x", c);
        adds(l, hex);
    }
}

/* The closing quote must always fit: 8 bytes are kept back while the value is written. */
static void add_quoted(struct logline *l, const char *value)
{
    size_t len = strlen(value);
    add(l, "\"", 1);
    for (size_t i = 0; i < len && l->len + 8 < sizeof(l->text);) {
        size_t n = text_glyph(value + i, len - i);
        if (n == 0 || value[i] == '"' || value[i] == '\\') {
            add_escaped(l, (unsigned char)value[i]);
            i++;
        } else {
            add(l, value + i, n);
            i += n;
        }
    }
    add(l, "\"", 1);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "error";
}

void log_setup(const char *proc, int slot, enum log_level level)
{
    log_proc = proc;
    log_slot = slot;
    log_limit = level;
}

void log_set_level(uint32_t level)
{
    log_limit = level <= LOG_LEVEL_DEBUG ? (enum log_level)level : LOG_LEVEL_INFO;
}

void log_begin(struct logline *l, enum log_level level, const char *event)
{
    l->len = 0;
    l->is_on = level <= log_limit;
    if (!l->is_on)
        return;
    l->len = log_target_begin(level, l->text, sizeof(l->text));
    adds(l, "level=");
    adds(l, level_name(level));
    log_str(l, "proc", log_proc);
    log_int(l, "pid", getpid());
    if (log_slot >= 0)
        log_int(l, "slot", log_slot);
    log_str(l, "event", event);
}

void log_int(struct logline *l, const char *key, int64_t value)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%" PRId64, value);
    log_str(l, key, number);
}

void log_str(struct logline *l, const char *key, const char *value)
{
    if (!l->is_on || l->len + strlen(key) + 12 > sizeof(l->text))
        return;
    adds(l, " ");
    adds(l, key);
    adds(l, "=");
    if (!value)
        value = "";
    if (wants_quotes(value) || strlen(value) + l->len + 1 > sizeof(l->text))
        add_quoted(l, value);
    else
        adds(l, value);
}

void log_end(struct logline *l)
{
    if (!l->is_on)
        return;
    l->text[l->len] = '\n';
    log_target_write(l->text, l->len + 1);
    l->is_on = false;
}

void log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    struct logline l;
    log_begin(&l, level, event);
    log_str(&l, "msg", text);
    log_end(&l);
}
