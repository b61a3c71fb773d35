/* table: lays out columns for people: aligned, in blocks (so that a long list streams in constant
 * memory), the last column cut to the terminal's width. Every cell passes through
 * text_add_printable: a table never lets control characters of items or handlers out. Writes into
 * a buf; who prints it decides where. */
#ifndef STINT_CLI_TABLE_H
#define STINT_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_BLOCK_ROWS 200

enum tone { TONE_NONE, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_FAINT, TONE_BOLD };

struct table_column {
    const char *title;
    bool is_right; /* numbers */
};

struct table_cell {
    char *text; /* printable; owned */
    enum tone tone;
};

struct table {
    const struct table_column *columns;
    size_t columns_len;
    size_t width; /* of the terminal; 0: cut nothing */
    bool has_color;
    size_t widths[TABLE_COLUMNS_MAX]; /* as wide as anything so far */
    struct table_cell *cells;         /* of this block, row by row */
    size_t cells_len, cells_cap;
    bool has_header; /* already written */
};

void table_init(struct table *t, const struct table_column *columns, size_t columns_len,
    size_t width, bool has_color);
void table_fini(struct table *t);

/* The next cell, row by row; NULL is "-". */
void table_add(struct table *t, const char *text, enum tone tone);
void table_add_count(struct table *t, int64_t n, enum tone tone); /* "1,284" */
/* True when a block is full: time to table_flush. */
bool table_is_full(const struct table *t);
/* Writes the block (and, the first time, the header) to out and forgets its cells. */
void table_flush(struct table *t, struct buf *out);

/* Columns of a terminal that this printable UTF-8 text takes. */
size_t text_width(const char *text);
/* At most room columns of it; what was cut shows as an ellipsis. Caller frees. */
char *text_cut(const char *text, size_t room);
/* Adds text in this tone, or plain when !has_color. */
void tone_add(struct buf *out, enum tone tone, bool has_color, const char *text);

#endif
