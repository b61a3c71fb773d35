#include "common/records/csv.h"

#include <stdlib.h>

void csv_init(struct csv *c, char separator)
{
    *c = (struct csv){.separator = separator};
}

void csv_fini(struct csv *c)
{
    if (!c)
        return;
    buf_fini(&c->text);
    free(c->starts);
    c->starts = NULL;
    c->len = c->cap = 0;
}

void csv_reset(struct csv *c)
{
    buf_reset(&c->text);
    c->len = 0;
    c->state = CSV_START;
    c->bad_cell = 0;
}

static void begin_cell(struct csv *c)
{
    if (c->len > 0)
        buf_addc(&c->text, '\0');
    if (c->len == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->starts = xrealloc(c->starts, c->cap * sizeof(*c->starts));
    }
    c->starts[c->len++] = c->text.len;
    c->state = CSV_START;
}

static void add_plain(struct csv *c, char ch)
{
    buf_addc(&c->text, ch);
    c->state = CSV_PLAIN;
}

/* Behind what may have been the closing quote. After text there the cell goes on as plain text:
 * the record is bad, but its end must be found. */
static void add_closed(struct csv *c, char ch)
{
    if (ch == '"') {
        buf_addc(&c->text, '"');
        c->state = CSV_QUOTED;
    } else if (ch == c->separator) {
        begin_cell(c);
    } else {
        if (!c->bad_cell)
            c->bad_cell = c->len;
        add_plain(c, ch);
    }
}

static void add_char(struct csv *c, char ch, int64_t line)
{
    switch (c->state) {
    case CSV_START:
    case CSV_PLAIN:
        if (ch == c->separator) {
            begin_cell(c);
        } else if (ch == '"' && c->state == CSV_START && c->separator == ',') {
            c->state = CSV_QUOTED;
            c->quote_line = line;
        } else {
            add_plain(c, ch);
        }
        break;
    case CSV_QUOTED:
        if (ch == '"')
            c->state = CSV_CLOSED;
        else
            buf_addc(&c->text, ch);
        break;
    case CSV_CLOSED:
        add_closed(c, ch);
        break;
    }
}

void csv_add_line(struct csv *c, const char *line, size_t len, int64_t number)
{
    if (c->len == 0)
        begin_cell(c);
    else
        buf_addc(&c->text, '\n'); /* of the line before, inside quotes */
    for (size_t i = 0; i < len; i++) {
        /* The carriage return of CRLF ends a record, but belongs to the text inside quotes. */
        if (i + 1 == len && line[i] == '\r' && c->state != CSV_QUOTED)
            return;
        add_char(c, line[i], number);
    }
}

bool csv_is_open(const struct csv *c)
{
    return c->state == CSV_QUOTED;
}

enum rc csv_check(const struct csv *c, struct err *err)
{
    if (!c->bad_cell)
        return RC_OK;
    return err_set(err, RC_INVALID,
        "column %zu: text after the closing quote; write a quote inside quotes twice", c->bad_cell);
}

const char *csv_cell(const struct csv *c, size_t i)
{
    return buf_str(&c->text) + c->starts[i];
}
