#include "cli/table.h"

#include <assert.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/base/text.h"

#define GAP 2
#define LAST_MIN 16

static const char *const tone_codes[] = {
    [TONE_NONE] = "",
    [TONE_GOOD] = "\033[32m",
    [TONE_WARN] = "\033[33m",
    [TONE_BAD] = "\033[31m",
    [TONE_FAINT] = "\033[2m",
    [TONE_BOLD] = "\033[1m",
};

void tone_add(struct buf *out, enum tone tone, bool has_color, const char *text)
{
    bool is_on = has_color && tone != TONE_NONE;
    if (is_on)
        buf_adds(out, tone_codes[tone]);
    buf_adds(out, text);
    if (is_on)
        buf_adds(out, "\033[0m");
}

/* One code point of valid UTF-8; *ret_len its bytes. */
static wchar_t code_point(const unsigned char *s, size_t *ret_len)
{
    size_t len = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
    wchar_t c = len == 1 ? *s : *s & (0xff >> (len + 1));
    size_t i = 1;
    for (; i < len && (s[i] & 0xc0) == 0x80; i++)
        c = c << 6 | (s[i] & 0x3f);
    *ret_len = i;
    return c;
}

/* wcwidth needs some UTF-8 locale; most commands never show a character that it is asked about. */
static size_t code_width(wchar_t c)
{
    static bool has_locale;
    if (c < 0x80)
        return 1;
    if (!has_locale)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    has_locale = true;
    int w = wcwidth(c);
    return w < 0 ? 1 : (size_t)w;
}

size_t text_width(const char *text)
{
    size_t width = 0, len;
    for (const unsigned char *s = (const unsigned char *)text; *s; s += len)
        width += code_width(code_point(s, &len));
    return width;
}

char *text_cut(const char *text, size_t room)
{
    if (text_width(text) <= room)
        return xstrdup(text);
    size_t used = 0, len;
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t w = code_width(code_point(s, &len));
        if (used + w + 1 > room)
            break;
        used += w;
        s += len;
    }
    return xasprintf("%.*s…", (int)((const char *)s - text), text);
}

void table_init(struct table *t, const struct table_column *columns, size_t columns_len,
    size_t width, bool has_color)
{
    assert(columns_len > 0 && columns_len <= TABLE_COLUMNS_MAX);
    *t = (struct table){
        .columns = columns, .columns_len = columns_len, .width = width, .has_color = has_color};
    for (size_t i = 0; i < columns_len; i++)
        t->widths[i] = text_width(columns[i].title);
}

static void forget_cells(struct table *t)
{
    for (size_t i = 0; i < t->cells_len; i++)
        free(t->cells[i].text);
    t->cells_len = 0;
}

void table_fini(struct table *t)
{
    if (!t)
        return;
    forget_cells(t);
    free(t->cells);
    t->cells = NULL;
    t->cells_cap = 0;
}

void table_add(struct table *t, const char *text, enum tone tone)
{
    if (t->cells_len == t->cells_cap) {
        t->cells_cap = t->cells_cap ? t->cells_cap * 2 : 64;
        t->cells = xrealloc(t->cells, t->cells_cap * sizeof(*t->cells));
    }
    struct buf printable = BUF_INIT;
    const char *shown = text ? text : "-";
    text_add_printable(&printable, shown, strlen(shown));
    struct table_cell *cell = &t->cells[t->cells_len];
    size_t column = t->cells_len++ % t->columns_len;
    cell->text = buf_take(&printable);
    cell->tone = tone;
    size_t width = text_width(cell->text);
    if (width > t->widths[column])
        t->widths[column] = width;
}

void table_add_count(struct table *t, int64_t n, enum tone tone)
{
    char text[32];
    table_add(t, text_count(n, text, sizeof(text)), n ? tone : TONE_NONE);
}

bool table_is_full(const struct table *t)
{
    return t->cells_len >= TABLE_BLOCK_ROWS * t->columns_len;
}

static void add_spaces(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_addc(out, ' ');
}

/* How many columns the last one may take; 0: as many as it likes. */
static size_t last_room(const struct table *t)
{
    if (!t->width)
        return 0;
    size_t before = 0;
    for (size_t i = 0; i + 1 < t->columns_len; i++)
        before += t->widths[i] + GAP;
    return t->width > before + LAST_MIN ? t->width - before : LAST_MIN;
}

static void add_row(struct table *t, const struct table_cell *cells, struct buf *out)
{
    size_t room = last_room(t);
    for (size_t i = 0; i < t->columns_len; i++) {
        bool is_last = i + 1 == t->columns_len;
        char *shown = is_last && room ? text_cut(cells[i].text, room) : NULL;
        const char *text = shown ? shown : cells[i].text;
        size_t width = text_width(text);
        size_t pad = t->widths[i] > width ? t->widths[i] - width : 0;
        if (t->columns[i].is_right)
            add_spaces(out, pad);
        tone_add(out, cells[i].tone, t->has_color, text);
        if (!is_last)
            add_spaces(out, GAP + (t->columns[i].is_right ? 0 : pad));
        free(shown);
    }
    buf_addc(out, '\n');
}

static void add_header(struct table *t, struct buf *out)
{
    struct table_cell titles[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < t->columns_len; i++) {
        titles[i].text = xstrdup(t->columns[i].title);
        titles[i].tone = TONE_FAINT;
    }
    add_row(t, titles, out);
    for (size_t i = 0; i < t->columns_len; i++)
        free(titles[i].text);
    t->has_header = true;
}

void table_flush(struct table *t, struct buf *out)
{
    if (!t->has_header)
        add_header(t, out);
    for (size_t i = 0; i + t->columns_len <= t->cells_len; i += t->columns_len)
        add_row(t, t->cells + i, out);
    forget_cells(t);
}
