#include "common/base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit time_units[] = {
    {"ms", 1},
    {"s", 1000},
    {"m", INT64_C(60000)},
    {"h", INT64_C(3600000)},
    {"d", INT64_C(86400000)},
};
static const struct unit size_units[] = {
    {"", 1},
    {"K", 1 << 10},
    {"M", 1 << 20},
    {"G", 1 << 30},
    {"T", INT64_C(1) << 40},
};
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define GUESS_MAX 48

/* What people write for a unit; compared without case, so that S is s, too. */
struct alias {
    const char *word, *unit;
};
static const struct alias time_aliases[] = {
    {"ms", "ms"},
    {"msec", "ms"},
    {"s", "s"},
    {"sec", "s"},
    {"secs", "s"},
    {"second", "s"},
    {"seconds", "s"},
    {"m", "m"},
    {"min", "m"},
    {"mins", "m"},
    {"minute", "m"},
    {"minutes", "m"},
    {"h", "h"},
    {"hr", "h"},
    {"hour", "h"},
    {"hours", "h"},
    {"d", "d"},
    {"day", "d"},
    {"days", "d"},
};
static const struct alias size_aliases[] = {
    {"b", ""},
    {"bytes", ""},
    {"k", "K"},
    {"kb", "K"},
    {"kib", "K"},
    {"m", "M"},
    {"mb", "M"},
    {"mib", "M"},
    {"g", "G"},
    {"gb", "G"},
    {"gib", "G"},
    {"t", "T"},
    {"tb", "T"},
    {"tib", "T"},
};

/* Digits with at most one point, then one of the units. False: not of this form, or too big. */
static bool read_with_unit(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
    const char *tail = text + strspn(text, "0123456789.");
    const struct unit *unit = NULL;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(tail, units[i].name) == 0)
            unit = &units[i];
    }
    if (!unit || !isdigit((unsigned char)text[0]))
        return false;
    int64_t whole = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, *p - '0', &whole))
            return false;
    }
    if (__builtin_mul_overflow(whole, unit->factor, &whole))
        return false;
    if (*p == '.' && !isdigit((unsigned char)*++p))
        return false;
    double fraction = 0, weight = (double)unit->factor;
    for (; isdigit((unsigned char)*p); p++)
        fraction += (weight /= 10) * (*p - '0');
    if (p != tail || __builtin_add_overflow(whole, (int64_t)(fraction + 0.5), &whole))
        return false;
    *ret = whole;
    return true;
}

static bool is_bare_number(const char *text)
{
    return *text && strspn(text, "0123456789.") == strlen(text);
}

/* "10 sec" → "10s". False: nothing that would be right comes near. */
static bool guess(const char *text, const struct alias *aliases, size_t aliases_len,
    const struct unit *units, size_t units_len, char out[GUESS_MAX])
{
    size_t digits = strspn(text, "0123456789.");
    const char *word = text + digits + strspn(text + digits, " ");
    int64_t ignored;
    for (size_t i = 0; i < aliases_len; i++) {
        if (strcasecmp(word, aliases[i].word) != 0 || digits > GUESS_MAX / 2)
            continue;
        int n = snprintf(out, GUESS_MAX, "%.*s%s", (int)digits, text, aliases[i].unit);
        return n > 0 && n < GUESS_MAX && read_with_unit(out, units, units_len, &ignored);
    }
    return false;
}

/* Right but for its size: digits and a unit. */
static bool is_too_big(const char *text, const struct unit *units, size_t n)
{
    const char *unit = text + strspn(text, "0123456789");
    for (size_t i = 0; i < n && unit > text; i++)
        if (strcmp(unit, units[i].name) == 0)
            return true;
    return false;
}

enum rc text_duration_ms(const char *text, int64_t *ret_ms, struct err *err)
{
    if (strcmp(text, "0") == 0) {
        *ret_ms = 0;
        return RC_OK;
    }
    if (read_with_unit(text, time_units, COUNT_OF(time_units), ret_ms))
        return RC_OK;
    if (is_bare_number(text))
        return err_set(err, RC_INVALID, "\"%s\" has no unit; did you mean %ss? (ms, s, m, h or d)",
            text, text);
    if (is_too_big(text, time_units, COUNT_OF(time_units)))
        return err_set(err, RC_INVALID, "\"%s\" is too long for a duration", text);
    char near[GUESS_MAX];
    if (guess(text, time_aliases, COUNT_OF(time_aliases), time_units, COUNT_OF(time_units), near))
        return err_set(err, RC_INVALID,
            "\"%s\" is no duration; did you mean %s? (ms, s, m, h or d)", text, near);
    bool has_comment = strstr(text, " #") || strstr(text, " ;");
    return err_set(err, RC_INVALID,
        "\"%s\" is no duration; expected a number and ms, s, m, h or d, like 30s or 1.5h%s", text,
        has_comment ? "; comments stand on lines of their own" : "");
}

enum rc text_size_bytes(const char *text, int64_t *ret_bytes, struct err *err)
{
    if (read_with_unit(text, size_units, COUNT_OF(size_units), ret_bytes))
        return RC_OK;
    if (is_too_big(text, size_units, COUNT_OF(size_units)))
        return err_set(err, RC_INVALID, "\"%s\" is too big for a size", text);
    char near[GUESS_MAX];
    if (guess(text, size_aliases, COUNT_OF(size_aliases), size_units, COUNT_OF(size_units), near))
        return err_set(
            err, RC_INVALID, "\"%s\" is no size; did you mean %s? (bytes, K, M or G)", text, near);
    return err_set(
        err, RC_INVALID, "\"%s\" is no size; expected bytes, or a number and K, M or G", text);
}

enum rc text_int(const char *text, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
    const char *p = text + (*text == '-' || *text == '+');
    bool is_negative = *text == '-', is_big = false;
    int64_t value = 0;
    if (!*p || strspn(p, "0123456789") != strlen(p))
        return err_set(err, RC_INVALID, "\"%s\" is no whole number", text);
    for (; *p; p++) {
        int digit = is_negative ? '0' - *p : *p - '0';
        is_big = is_big || __builtin_mul_overflow(value, 10, &value) ||
                 __builtin_add_overflow(value, digit, &value);
    }
    if (is_big || value < min || value > max)
        return err_set(err, RC_INVALID, "%s is not within %" PRId64 " to %" PRId64, text, min, max);
    *ret = value;
    return RC_OK;
}

enum rc text_percent(const char *text, int64_t *ret_pct, struct err *err)
{
    size_t len = strlen(text);
    if (len >= 2 && len <= 4 && text[len - 1] == '%') {
        char digits[4] = {0};
        memcpy(digits, text, len - 1);
        if (digits[0] != '-' && digits[0] != '+' &&
            text_int(digits, 0, 100, ret_pct, NULL) == RC_OK)
            return RC_OK;
    }
    if (is_bare_number(text))
        return err_set(err, RC_INVALID, "\"%s\" has no unit; did you mean %s%%?", text, text);
    return err_set(err, RC_INVALID, "\"%s\" is no percentage; expected 0%% to 100%%", text);
}

enum rc text_bool(const char *text, bool *ret, struct err *err)
{
    if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0) {
        *ret = true;
        return RC_OK;
    }
    if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0) {
        *ret = false;
        return RC_OK;
    }
    return err_set(err, RC_INVALID, "\"%s\" is neither yes nor no", text);
}

static bool is_name_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool text_is_name(const char *text)
{
    size_t len = strnlen(text, NAME_MAX_BYTES + 1);
    for (size_t i = 0; i < len; i++) {
        if (!is_name_char((unsigned char)text[i]))
            return false;
    }
    return len >= 1 && len <= NAME_MAX_BYTES;
}

size_t text_utf8_step(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    if (len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

uint32_t text_code_point(const char *s, size_t n)
{
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)s[0] & lead[n];
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)s[i] & 0x3f);
    return code;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Controls, and what has no form of its own but moves, joins or turns round what is beside it. */
static bool is_unseen(uint32_t c)
{
    return is_control(c) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

size_t text_glyph(const char *s, size_t len)
{
    size_t n = text_utf8_step(s, len);
    return n > 0 && is_unseen(text_code_point(s, n)) ? 0 : n;
}

/* Eight bytes of ASCII at s. */
static bool is_ascii8(const char *s)
{
    uint64_t word;
    memcpy(&word, s, sizeof(word));
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        if (len - i >= 8 && is_ascii8(s + i)) {
            i += 8;
            continue;
        }
        size_t n = text_utf8_step(s + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

enum rc text_check_key(const char *key, size_t len, struct err *err)
{
    if (len == 0)
        return err_set(err, RC_INVALID, "an item key must not be empty");
    if (len > KEY_MAX_BYTES)
        return err_set(err, RC_LIMIT, "an item key has at most %d bytes, this one has %zu",
            KEY_MAX_BYTES, len);
    for (size_t i = 0; i < len;) {
        if (key[i] >= 0x20 && key[i] < 0x7f) { /* the usual case */
            i++;
            continue;
        }
        size_t n = text_utf8_step(key + i, len - i);
        if (n == 0)
            return err_set(err, RC_INVALID, "an item key is UTF-8 (byte %zu is not)", i + 1);
        if (is_control(text_code_point(key + i, n)))
            return err_set(
                err, RC_INVALID, "an item key has no control characters (byte %zu)", i + 1);
        i += n;
    }
    return RC_OK;
}

#define NEAREST_MAX 80

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insertions, deletions, changes and swaps of neighbours; case does not count. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    static size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                y == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        size_t *free_row = before;
        before = above;
        above = row;
        row = free_row;
    }
    return above[b_len];
}

const char *text_nearest(const char *word, const char *const *words, size_t n)
{
    size_t len = strlen(word), best = 0;
    const char *nearest = NULL;
    if (len == 0 || len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(words[i]);
        if (other > NEAREST_MAX)
            continue;
        size_t distance = edit_distance(word, len, words[i], other);
        if (distance > len / 3 + 1 || distance >= (len > other ? len : other))
            continue;
        if (!nearest || distance < best) {
            nearest = words[i];
            best = distance;
        }
    }
    return nearest;
}
