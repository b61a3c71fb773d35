/* The half of text.h that shows: counts, durations, sizes, terminal-safe output. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

char *text_count(int64_t n, char *out, size_t cap)
{
    char digits[24], text[40];
    size_t at = 0;
    (void)snprintf(
        digits, sizeof(digits), "%" PRIu64, n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n);
    size_t len = strlen(digits);
    if (n < 0)
        text[at++] = '-';
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    (void)snprintf(out, cap, "%s", text);
    return out;
}

char *text_duration(int64_t ms, char *out, size_t cap)
{
    const char *sign = ms < 0 ? "-" : "";
    if (ms < 0)
        ms = ms == INT64_MIN ? INT64_MAX : -ms;
    int64_t s = ms / 1000, tenth = ms % 1000 / 100;
    static const struct {
        int64_t big, small;
        char names[2];
    } steps[] = {{86400, 3600, "dh"}, {3600, 60, "hm"}, {60, 1, "ms"}};
    if (ms < 1000)
        (void)snprintf(out, cap, "%s%" PRId64 "ms", sign, ms);
    else if (s < 10 && tenth > 0)
        (void)snprintf(out, cap, "%s%" PRId64 ".%" PRId64 "s", sign, s, tenth);
    else if (s < 60)
        (void)snprintf(out, cap, "%s%" PRId64 "s", sign, s);
    for (size_t i = 0; s >= 60 && i < 3; i++) {
        if (s < steps[i].big)
            continue;
        int64_t big = s / steps[i].big, small = s % steps[i].big / steps[i].small;
        if (small > 0)
            (void)snprintf(out, cap, "%s%" PRId64 "%c %" PRId64 "%c", sign, big, steps[i].names[0],
                small, steps[i].names[1]);
        else
            (void)snprintf(out, cap, "%s%" PRId64 "%c", sign, big, steps[i].names[0]);
        break;
    }
    return out;
}

char *text_size(int64_t bytes, char *out, size_t cap)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while ((value >= 1023.5 || value <= -1023.5) && unit < 6) {
        value /= 1024;
        unit++;
    }
    double rounded = (double)(int64_t)(value * 10 + (value < 0 ? -0.5 : 0.5)) / 10;
    bool has_fraction = rounded < 10 && rounded > -10 && rounded != (double)(int64_t)rounded;
    (void)snprintf(
        out, cap, "%.*f %s", has_fraction ? 1 : 0, has_fraction ? rounded : value, units[unit]);
    return out;
}

void text_add_printable(struct buf *out, const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = text_glyph(s + i, len - i);
        if (n > 0) {
            buf_add(out, s + i, n);
            i += n;
            continue;
        }
        n = text_utf8_step(s + i, len - i);
        if (n > 1) {
            buf_addf(out, "\\u%04x", (unsigned)text_code_point(s + i, n));
            i += n;
            continue;
        }
        unsigned char c = (unsigned char)s[i++];
        if (c == '\n')
            buf_adds(out, "\\n");
        else if (c == '\t')
            buf_adds(out, "\\t");
        else
            buf_addf(out, "\\x%02x", c);
    }
}

void text_add_json_printable(struct buf *out, const char *json, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = text_utf8_step(json + i, len - i);
        if (json[i] == 0x7f || (n > 1 && text_glyph(json + i, n) == 0))
            buf_addf(out, "\\u%04x", (unsigned)text_code_point(json + i, n));
        else
            buf_add(out, json + i, n ? n : 1);
        i += n ? n : 1;
    }
}
