#include "common/base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static void add_escape(struct buf *out, unsigned char c)
{
    static const char from[] = "\"\\\n\r\t\b\f";
    static const char to[] = "\"\\nrtbf";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        buf_addc(out, '\\');
        buf_addc(out, to[at - from]);
    } else {
        buf_addf(out, "\\u%04x", c);
    }
}

static void add_string(struct buf *out, const char *s, size_t len)
{
    buf_addc(out, '"');
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)s[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
            add_escape(out, c);
            i++;
            continue;
        }
        size_t n = text_utf8_step(s + i, len - i);
        if (n == 0)
            buf_adds(out, "\\ufffd"); /* JSON is UTF-8: a stray byte has no other place */
        else
            buf_add(out, s + i, n);
        i += n ? n : 1;
    }
    buf_addc(out, '"');
}

static void begin(struct json *j, const char *key)
{
    if (j->needs_comma)
        buf_addc(j->out, ',');
    j->needs_comma = true;
    if (!key)
        return;
    add_string(j->out, key, strlen(key));
    buf_addc(j->out, ':');
}

void json_init(struct json *j, struct buf *out)
{
    j->out = out;
    j->needs_comma = false;
}

void json_open_object(struct json *j, const char *key)
{
    begin(j, key);
    buf_addc(j->out, '{');
    j->needs_comma = false;
}

void json_open_array(struct json *j, const char *key)
{
    begin(j, key);
    buf_addc(j->out, '[');
    j->needs_comma = false;
}

void json_end_object(struct json *j)
{
    buf_addc(j->out, '}');
    j->needs_comma = true;
}

void json_end_array(struct json *j)
{
    buf_addc(j->out, ']');
    j->needs_comma = true;
}

void json_strn(struct json *j, const char *key, const char *value, size_t len)
{
    begin(j, key);
    add_string(j->out, value, len);
}

void json_str(struct json *j, const char *key, const char *value)
{
    if (value)
        json_strn(j, key, value, strlen(value));
    else
        json_add_null(j, key);
}

void json_int(struct json *j, const char *key, int64_t value)
{
    begin(j, key);
    buf_addf(j->out, "%" PRId64, value);
}

void json_num(struct json *j, const char *key, double value)
{
    if (!isfinite(value)) {
        json_add_null(j, key);
        return;
    }
    begin(j, key);
    buf_addf(j->out, "%.15g", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    begin(j, key);
    buf_adds(j->out, value ? "true" : "false");
}

void json_add_null(struct json *j, const char *key)
{
    begin(j, key);
    buf_adds(j->out, "null");
}

void json_raw(struct json *j, const char *key, const char *text)
{
    begin(j, key);
    buf_adds(j->out, text ? text : "null");
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* p at the opening quote; returns behind the closing one (or at the end of broken text). */
static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
    }
    return *p ? p + 1 : p;
}

const char *json_skip_value(const char *p)
{
    if (*p == '"')
        return skip_string(p);
    if (*p != '{' && *p != '[')
        return p + strcspn(p, ",}] \t\r\n");
    size_t depth = 0;
    while (*p) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex4(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t encode_utf8(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return n;
}

/* One character of a JSON string, decoded; *p moves behind it. 0: broken. */
static size_t decode_char(const char **p, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *s = *p;
    if (*s != '\\') {
        out[0] = *s;
        *p = s + 1;
        return 1;
    }
    if (s[1] != 'u') {
        const char *at = s[1] ? strchr(from, s[1]) : NULL;
        out[0] = at ? to[at - from] : '\0';
        *p = s + 2;
        return at ? 1 : 0;
    }
    int high = hex4(s + 2);
    if (high < 0)
        return 0;
    *p = s + 6;
    if (high < 0xd800 || high > 0xdbff)
        return encode_utf8((unsigned)high, out);
    int low = s[6] == '\\' && s[7] == 'u' ? hex4(s + 8) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *p = s + 12;
    return encode_utf8(0x10000 + ((unsigned)high - 0xd800) * 0x400 + ((unsigned)low - 0xdc00), out);
}

/* p at the opening quote of a JSON string: is it `key`? */
static bool is_key(const char *p, const char *key)
{
    p++;
    while (*p && *p != '"') {
        char c[4];
        size_t n = decode_char(&p, c);
        if (n == 0 || c[0] == '\0' || strncmp(c, key, n) != 0)
            return false;
        key += n;
    }
    return *p == '"' && *key == '\0';
}

bool json_member(const char *text, const char *key, const char **ret_start, size_t *ret_len)
{
    const char *p = skip_space(text);
    if (*p != '{')
        return false;
    p = skip_space(p + 1);
    while (*p == '"') {
        bool is_it = is_key(p, key);
        p = skip_space(skip_string(p));
        if (*p != ':')
            return false;
        p = skip_space(p + 1);
        const char *end = json_skip_value(p);
        if (is_it) {
            *ret_start = p;
            *ret_len = (size_t)(end - p);
            return true;
        }
        p = skip_space(end);
        if (*p != ',')
            return false;
        p = skip_space(p + 1);
    }
    return false;
}
