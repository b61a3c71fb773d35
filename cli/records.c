#include "cli/records.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"

static enum record_format format_of_name(const char *name)
{
    static const struct {
        const char *ending;
        enum record_format format;
    } endings[] = {{".jsonl", FORMAT_JSONL}, {".ndjson", FORMAT_JSONL}, {".json", FORMAT_JSONL},
        {".csv", FORMAT_CSV}, {".tsv", FORMAT_TSV}, {".txt", FORMAT_TEXT}};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t n = strlen(endings[i].ending);
        if (len > n && strcmp(name + len - n, endings[i].ending) == 0)
            return endings[i].format;
    }
    return FORMAT_GUESS;
}

void records_init(struct records *r, int fd, const char *name, enum record_format format)
{
    *r = (struct records){.name = name, .format = format};
    lines_init(&r->lines, fd);
    if (r->format == FORMAT_GUESS)
        r->format = format_of_name(name);
}

static void cells_fini(struct cells *c)
{
    buf_fini(&c->text);
    free(c->starts);
    c->starts = NULL;
    c->len = c->cap = 0;
}

void records_fini(struct records *r)
{
    if (!r)
        return;
    lines_fini(&r->lines);
    buf_fini(&r->key);
    buf_fini(&r->data);
    cells_fini(&r->header);
    cells_fini(&r->row);
}

static const char *cell(const struct cells *c, size_t i)
{
    return buf_str(&c->text) + c->starts[i];
}

static void cell_begin(struct cells *c)
{
    if (c->len > 0)
        buf_addc(&c->text, '\0');
    if (c->len == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 16;
        c->starts = xrealloc(c->starts, c->cap * sizeof(*c->starts));
    }
    c->starts[c->len++] = c->text.len;
}

/* A line that is fit to be looked at: no NUL, UTF-8, no byte order mark. RC_DONE at the end. */
static enum rc next_line(struct records *r, char **ret, size_t *ret_len, struct err *err)
{
    enum rc rc = lines_next(&r->lines, ret, ret_len, err);
    if (rc != RC_ROW)
        return rc;
    if (r->lines.number == 1 && *ret_len >= 3 && memcmp(*ret, "\xef\xbb\xbf", 3) == 0) {
        *ret += 3;
        *ret_len -= 3;
    }
    if (memchr(*ret, '\0', *ret_len))
        return err_set(err, RC_INVALID, "there is a NUL byte in this line");
    if (!text_is_utf8(*ret, *ret_len))
        return err_set(err, RC_INVALID, "this line is not UTF-8");
    return RC_ROW;
}

static size_t without_cr(const char *line, size_t len)
{
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

/* The state of one CSV record, which may span lines. */
enum csv_state { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED };

static enum rc csv_char(
    struct cells *c, char ch, char separator, enum csv_state *state, struct err *err)
{
    bool has_quotes = separator == ','; /* TSV knows none */
    switch (*state) {
    case CSV_START:
    case CSV_PLAIN:
        if (ch == separator) {
            cell_begin(c);
            *state = CSV_START;
        } else if (ch == '"' && has_quotes && *state == CSV_START) {
            *state = CSV_QUOTED;
        } else {
            buf_addc(&c->text, ch);
            *state = CSV_PLAIN;
        }
        return RC_OK;
    case CSV_QUOTED:
        if (ch == '"')
            *state = CSV_CLOSED;
        else
            buf_addc(&c->text, ch);
        return RC_OK;
    case CSV_CLOSED:
        if (ch == '"') {
            buf_addc(&c->text, '"');
            *state = CSV_QUOTED;
        } else if (ch == separator) {
            cell_begin(c);
            *state = CSV_START;
        } else {
            return err_set(err, RC_INVALID,
                "column %zu: text after the closing quote; write a quote inside quotes twice",
                c->len);
        }
        return RC_OK;
    }
    return RC_BUG;
}

static enum rc csv_line(struct cells *c, const char *line, size_t len, char separator,
    enum csv_state *state, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        /* The carriage return of CRLF ends a record, but belongs to the text inside quotes. */
        if (i + 1 == len && line[i] == '\r' && *state != CSV_QUOTED)
            return RC_OK;
        enum rc rc = csv_char(c, line[i], separator, state, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* One record into c; *ret_line: where it began. Empty lines between records are passed over. */
static enum rc csv_record(struct records *r, struct cells *c, int64_t *ret_line, struct err *err)
{
    char separator = r->format == FORMAT_CSV ? ',' : '\t';
    enum csv_state state = CSV_START;
    char *line;
    size_t len;
    enum rc rc;
    do {
        rc = next_line(r, &line, &len, err);
        if (rc != RC_ROW)
            return rc;
    } while (without_cr(line, len) == 0);
    *ret_line = r->lines.number;
    buf_reset(&c->text);
    c->len = 0;
    cell_begin(c);
    for (;;) {
        rc = csv_line(c, line, len, separator, &state, err);
        if (rc)
            return rc;
        if (state != CSV_QUOTED)
            return RC_ROW;
        buf_addc(&c->text, '\n');
        if (c->text.len > LINE_MAX_BYTES)
            return err_set(err, RC_LIMIT, "the quote opened in line %lld holds more than %zu bytes",
                (long long)*ret_line, LINE_MAX_BYTES);
        rc = next_line(r, &line, &len, err);
        if (rc == RC_DONE)
            return err_set(err, RC_INVALID, "the quote opened in line %lld is never closed",
                (long long)*ret_line);
        if (rc != RC_ROW)
            return rc;
    }
}

static enum rc csv_header(struct records *r, struct err *err)
{
    int64_t line;
    enum rc rc = csv_record(r, &r->header, &line, err);
    if (rc != RC_ROW)
        return rc;
    r->key_column = 0;
    for (size_t i = r->header.len; i > 0; i--)
        if (strcmp(cell(&r->header, i - 1), "key") == 0)
            r->key_column = i - 1;
    for (size_t i = 0; i < r->header.len; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(cell(&r->header, i), cell(&r->header, k)) == 0)
                return err_set(
                    err, RC_INVALID, "two columns are called \"%.60s\"", cell(&r->header, i));
    return RC_ROW;
}

static enum rc next_csv(struct records *r, struct record *ret, struct err *err)
{
    enum rc rc = r->header.len ? RC_ROW : csv_header(r, err);
    if (rc == RC_ROW)
        rc = csv_record(r, &r->row, &ret->line, err);
    if (rc != RC_ROW)
        return rc;
    if (r->row.len != r->header.len)
        return err_set(
            err, RC_INVALID, "%zu columns, but the header has %zu", r->row.len, r->header.len);
    ret->key = cell(&r->row, r->key_column);
    rc = text_check_key(ret->key, strlen(ret->key), err);
    if (rc)
        return rc;
    if (r->header.len == 1)
        return RC_ROW;
    struct json j;
    buf_reset(&r->data);
    json_init(&j, &r->data);
    json_open_object(&j, NULL);
    for (size_t i = 0; i < r->header.len; i++)
        if (i != r->key_column)
            json_str(&j, cell(&r->header, i), cell(&r->row, i));
    json_end_object(&j);
    ret->data = buf_str(&r->data);
    return RC_ROW;
}

static enum rc next_text_or_json(struct records *r, struct record *ret, struct err *err)
{
    char *line;
    size_t len;
    enum rc rc;
    do {
        rc = next_line(r, &line, &len, err);
        if (rc != RC_ROW)
            return rc;
        len = without_cr(line, len);
        line[len] = '\0';
    } while (line[strspn(line, " \t\r")] == '\0');
    ret->line = r->lines.number;
    if (r->format == FORMAT_GUESS)
        r->format = line[0] == '{' ? FORMAT_JSONL : FORMAT_TEXT;
    if (r->format == FORMAT_JSONL)
        rc = record_from_json(line, len, &r->key, &r->data, ret, err);
    else
        rc = text_check_key(line, len, err);
    if (rc)
        return rc;
    if (r->format == FORMAT_TEXT)
        ret->key = line;
    return RC_ROW;
}

enum rc records_next(struct records *r, struct record *ret, struct err *err)
{
    *ret = (struct record){0};
    enum rc rc = r->format == FORMAT_CSV || r->format == FORMAT_TSV
                     ? next_csv(r, ret, err)
                     : next_text_or_json(r, ret, err);
    if (rc == RC_ROW || rc == RC_DONE)
        return rc;
    return err_prefix(
        err, rc, "%s:%lld", r->name, (long long)(r->lines.number ? r->lines.number : 1));
}
