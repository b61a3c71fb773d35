#include "common/base/json_scan.h"

#include <stdint.h>
#include <string.h>

/* Bytes that end the plain run of a string. */
static bool is_special(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

const char *json_skip_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    return p;
}

/* p behind the backslash. */
static const char *skip_escape(const char *p)
{
    if (*p == 'u') {
        for (int i = 1; i <= 4; i++)
            if (!is_hex(p[i]))
                return NULL;
        return p + 5;
    }
    return *p && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
}

const char *json_skip_string(const char *p)
{
    for (p++;;) {
        while (!is_special((unsigned char)*p))
            p++;
        if (*p == '"')
            return p + 1;
        if (*p != '\\')
            return NULL;
        p = skip_escape(p + 1);
        if (!p)
            return NULL;
    }
}

static const char *skip_digits(const char *p)
{
    if (!is_digit(*p))
        return NULL;
    while (is_digit(*p))
        p++;
    return p;
}

const char *json_skip_number(const char *p)
{
    if (*p == '-')
        p++;
    p = *p == '0' ? p + 1 : skip_digits(p);
    if (p && *p == '.')
        p = skip_digits(p + 1);
    if (p && (*p == 'e' || *p == 'E')) {
        p++;
        p = skip_digits(*p == '+' || *p == '-' ? p + 1 : p);
    }
    return p;
}

const char *json_skip_word(const char *p)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    return NULL;
}

static const char *skip_scalar(const char *p)
{
    if (*p == '"')
        return json_skip_string(p);
    return *p == '-' || is_digit(*p) ? json_skip_number(p) : json_skip_word(p);
}

/* Where the scan stands. What lies between from and p is checked, but not yet added. */
struct scan {
    const char *p, *from;
    struct buf *out;
    size_t depth;
    uint8_t is_object[JSON_DEPTH_MAX / 8 + 1]; /* a bit a level */
};

static void flush(struct scan *s)
{
    buf_add(s->out, s->from, (size_t)(s->p - s->from));
    s->from = s->p;
}

/* Passes what ends at end (NULL: it is not valid) and the blanks behind it. */
static bool take(struct scan *s, const char *end)
{
    if (!end)
        return false;
    s->p = end;
    const char *next = json_skip_blanks(end);
    if (next != end) {
        flush(s);
        s->p = s->from = next;
    }
    return true;
}

static bool is_in_object(const struct scan *s)
{
    return s->is_object[s->depth / 8] >> (s->depth % 8) & 1;
}

static bool take_name(struct scan *s)
{
    return *s->p == '"' && take(s, json_skip_string(s->p)) && *s->p == ':' && take(s, s->p + 1);
}

static bool take_open(struct scan *s)
{
    bool is_object = *s->p == '{';
    if (++s->depth > JSON_DEPTH_MAX)
        return false;
    uint8_t bit = (uint8_t)(1U << (s->depth % 8));
    uint8_t *byte = &s->is_object[s->depth / 8];
    *byte = (uint8_t)(is_object ? *byte | bit : *byte & ~bit);
    return take(s, s->p + 1);
}

static bool is_at_close(const struct scan *s)
{
    return s->depth > 0 && *s->p == (is_in_object(s) ? '}' : ']');
}

/* From the beginning of a value to the beginning of the next one, or to the end of all. */
static bool take_value(struct scan *s)
{
    if (*s->p == '{' || *s->p == '[') {
        if (!take_open(s))
            return false;
        if (!is_at_close(s))
            return !is_in_object(s) || take_name(s);
    } else if (!take(s, skip_scalar(s->p))) {
        return false;
    }
    while (is_at_close(s)) {
        s->depth--;
        (void)take(s, s->p + 1);
    }
    if (s->depth == 0)
        return true;
    return *s->p == ',' && take(s, s->p + 1) && (!is_in_object(s) || take_name(s));
}

bool json_minify(const char *text, size_t len, struct buf *out)
{
    struct scan s;
    size_t before = out->len;
    s.p = s.from = json_skip_blanks(text);
    s.out = out;
    s.depth = 0;
    bool is_valid;
    do
        is_valid = take_value(&s);
    while (is_valid && s.depth > 0);
    if (is_valid && s.p == text + len) {
        flush(&s);
        return true;
    }
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    return false;
}
