#include "worker/discover/csv.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

void csv_fini(struct csv_row *row)
{
    free(row->fields);
    *row = (struct csv_row){0};
}

bool csv_is_open(const char *line, size_t len, bool was_open)
{
    bool is_open = was_open, is_start = !was_open, was_closed = false;
    for (size_t i = 0; i < len; i++) {
        if (is_open) {
            is_open = line[i] != '"';
            was_closed = !is_open; /* perhaps the first half of a doubled quote */
        } else {
            is_open = line[i] == '"' && (is_start || was_closed);
            was_closed = false;
        }
        is_start = !is_open && line[i] == ',';
    }
    return is_open;
}

static void push_field(struct csv_row *row, char *field)
{
    if (row->len == row->cap) {
        row->cap = row->cap ? row->cap * 2 : 16;
        row->fields = xrealloc(row->fields, row->cap * sizeof(row->fields[0]));
    }
    row->fields[row->len++] = field;
}

/* Undoubles the quotes of a field that starts behind its quote; returns what follows the closing
 * one, or NULL when there is none. */
static char *unquote(char *field)
{
    char *to = field;
    for (char *from = field; *from; from++) {
        if (*from == '"' && *++from != '"') {
            *to = '\0';
            return from;
        }
        *to++ = *from;
    }
    return NULL;
}

enum rc csv_split(char *text, char sep, struct csv_row *row, struct err *err)
{
    row->len = 0;
    for (char *at = text;;) {
        bool is_quoted = sep == ',' && *at == '"';
        push_field(row, is_quoted ? at + 1 : at);
        char *end = is_quoted ? unquote(at + 1) : at + strcspn(at, (char[]){sep, '\0'});
        if (!end)
            return err_set(err, RC_INVALID, "a quoted field does not end; close its quote");
        if (*end == '\0')
            return RC_OK;
        if (*end != sep)
            return err_set(err, RC_INVALID,
                "text behind the closing quote of field %zu; double "
                "quotes that belong to a field",
                row->len);
        *end = '\0';
        at = end + 1;
    }
}
