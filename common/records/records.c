#include "common/records/records.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

static enum record_format format_of_name(const char *name)
{
    static const struct {
        const char *ending;
        enum record_format format;
    } endings[] = {{".jsonl", FORMAT_JSONL}, {".ndjson", FORMAT_JSONL}, {".json", FORMAT_JSONL},
        {".csv", FORMAT_CSV}, {".tsv", FORMAT_TSV}, {".tab", FORMAT_TSV}, {".txt", FORMAT_TEXT}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (strcasecmp(dot, endings[i].ending) == 0)
            return endings[i].format;
    return FORMAT_GUESS;
}

static bool is_table(const struct records *r)
{
    return r->opts.format == FORMAT_CSV || r->opts.format == FORMAT_TSV;
}

static size_t without_cr(const char *line, size_t len)
{
    return len > 0 && line[len - 1] == '\r' ? len - 1 : len;
}

/* As lines_next, without the byte order mark. */
static enum rc next_line(struct records *r, char **ret, size_t *ret_len, struct err *err)
{
    enum rc rc = lines_next(&r->lines, ret, ret_len, err);
    if (rc == RC_ROW && r->lines.number == 1 && *ret_len >= 3 &&
        memcmp(*ret, "\xef\xbb\xbf", 3) == 0) {
        *ret += 3;
        *ret_len -= 3;
    }
    return rc;
}

static enum rc check_text(const char *line, size_t len, struct err *err)
{
    if (memchr(line, '\0', len))
        return err_set(err, RC_INVALID, "there is a NUL byte in this line; is it text?");
    if (!text_is_utf8(line, len))
        return err_set(err, RC_INVALID,
            "this line is not UTF-8; convert the file: iconv -f latin1 -t utf-8, say");
    return RC_OK;
}

static enum rc never_closed(struct csv *c, struct err *err)
{
    csv_reset(c);
    return err_set(
        err, RC_INVALID, "the quote opened in line %lld is never closed", (long long)c->quote_line);
}

/* Adds a line to the record; an empty one between records is passed over. Of the faults the first
 * is kept in r->why: only at the record's end the caller is told, so that the next call begins
 * behind it. */
static enum rc add_line(
    struct records *r, struct csv *c, const char *line, size_t len, struct err *err)
{
    if (c->len == 0 && without_cr(line, len) == 0)
        return RC_OK;
    if (c->len == 0)
        r->line = r->lines.number;
    if (!r->why.text[0] && check_text(line, len, &r->why) && r->line != r->lines.number)
        (void)err_prefix(&r->why, RC_INVALID, "line %lld", (long long)r->lines.number);
    csv_add_line(c, line, len, r->lines.number);
    if (csv_is_open(c) && c->text.len > LINE_MAX_BYTES)
        return err_set(err, RC_LIMIT, "the quote opened in line %lld holds more than %zu bytes",
            (long long)c->quote_line, LINE_MAX_BYTES);
    return RC_OK;
}

/* One record into c, which goes on where RC_AGAIN left it. */
static enum rc next_row(struct records *r, struct csv *c, struct err *err)
{
    if (!csv_is_open(c)) {
        csv_reset(c);
        r->why.text[0] = '\0';
    }
    do {
        char *line;
        size_t len;
        enum rc rc = next_line(r, &line, &len, err);
        if (rc == RC_DONE && csv_is_open(c))
            return never_closed(c, err);
        if (rc != RC_ROW)
            return rc;
        rc = add_line(r, c, line, len, err);
        if (rc)
            return rc;
    } while (c->len == 0 || csv_is_open(c));
    if (r->why.text[0])
        return err_set(err, RC_INVALID, "%s", r->why.text);
    enum rc rc = csv_check(c, err);
    return rc ? rc : RC_ROW;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts names. */
static enum rc check_distinct(const char **names, size_t len, struct err *err)
{
    qsort(names, len, sizeof(*names), compare_names);
    for (size_t i = 1; i < len; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return err_set(err, RC_INVALID, "two columns are called \"%.60s\"", names[i]);
    return RC_OK;
}

static enum rc no_such_column(
    const struct records *r, const char *const *names, size_t len, struct err *err)
{
    const char *wanted = r->opts.key_name, *option = r->opts.key_option;
    const char *near = text_nearest(wanted, names, len);
    if (near)
        return err_set(err, RC_INVALID, "no column \"%.60s\"; did you mean %s%s%s?", wanted,
            option ? option : "", option ? " = " : "", near);
    return err_set(err, RC_INVALID, "no column \"%.60s\"; set %s to a name of this line", wanted,
        option ? option : "the key's column");
}

/* Nobody said which column is the key: without a header the first item would be taken for one. */
static enum rc no_key_column(const struct records *r, struct err *err)
{
    const char *option = r->opts.key_option;
    return err_set(err, RC_INVALID,
        "no column \"key\" in the header line: begin the file with one that has a column "
        "\"key\"%s%s%s; a list without a header, a key a line, is a .txt file",
        option ? ", or set " : "", option ? option : "", option ? " = COLUMN" : "");
}

static enum rc find_key_column(struct records *r, const char *const *names, struct err *err)
{
    const char *wanted = r->opts.key_name ? r->opts.key_name : "key";
    for (size_t i = 0; i < r->header.len; i++) {
        if (strcmp(names[i], wanted) != 0)
            continue;
        r->key_column = i;
        return RC_OK;
    }
    return r->opts.key_name ? no_such_column(r, names, r->header.len, err) : no_key_column(r, err);
}

static enum rc read_header(struct records *r, struct err *err)
{
    enum rc rc = next_row(r, &r->header, err);
    if (rc != RC_ROW)
        return rc == RC_DONE ? RC_OK : rc;
    CLEANUP_FREE const char **names = xcalloc(r->header.len, sizeof(*names));
    for (size_t i = 0; i < r->header.len; i++)
        names[i] = csv_cell(&r->header, i);
    rc = find_key_column(r, names, err);
    return rc ? rc : check_distinct(names, r->header.len, err);
}

static const char *data_of_row(struct records *r)
{
    struct json j;
    if (r->row.len == 1)
        return NULL;
    buf_reset(&r->item.data);
    json_init(&j, &r->item.data);
    json_open_object(&j, NULL);
    for (size_t i = 0; i < r->row.len; i++)
        if (i != r->key_column)
            json_str(&j, csv_cell(&r->header, i), csv_cell(&r->row, i));
    json_end_object(&j);
    return buf_str(&r->item.data);
}

static enum rc next_of_table(struct records *r, struct record *ret, struct err *err)
{
    enum rc rc = next_row(r, &r->row, err);
    ret->line = r->line;
    if (rc != RC_ROW)
        return rc;
    if (r->row.len != r->header.len)
        return err_set(
            err, RC_INVALID, "%zu columns, but the header has %zu", r->row.len, r->header.len);
    ret->key = csv_cell(&r->row, r->key_column);
    rc = text_check_key(ret->key, strlen(ret->key), err);
    if (rc)
        return rc;
    ret->data = data_of_row(r);
    return RC_ROW;
}

static enum rc parse_json(
    struct records *r, const char *line, size_t len, struct record *ret, struct err *err)
{
    const char *key_name = r->opts.key_name ? r->opts.key_name : "key";
    const char *option = r->opts.key_option;
    enum rc rc = jsonl_parse(line, len, key_name, &r->item, err);
    if (rc == RC_NOTFOUND)
        return err_set(err, RC_INVALID, "no \"%.60s\" in this object%s%s", key_name,
            option ? "; name the key's member by " : "", option ? option : "");
    if (rc)
        return rc;
    ret->key = buf_str(&r->item.key);
    ret->data = r->item.data.len ? buf_str(&r->item.data) : NULL;
    ret->priority = r->item.priority;
    ret->has_priority = r->item.has_priority;
    return RC_OK;
}

/* A key, or an object of JSON. A line of white space is passed over. */
static enum rc next_of_lines(struct records *r, struct record *ret, struct err *err)
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
    } while (strspn(line, " \t\r") == len);
    ret->line = r->line = r->lines.number;
    if (r->opts.format == FORMAT_GUESS)
        r->opts.format = line[0] == '{' ? FORMAT_JSONL : FORMAT_TEXT;
    rc = check_text(line, len, err);
    if (!rc && r->opts.format == FORMAT_JSONL)
        rc = parse_json(r, line, len, ret, err);
    else if (!rc)
        rc = text_check_key(line, len, err);
    if (rc)
        return rc;
    if (r->opts.format == FORMAT_TEXT)
        ret->key = line;
    return RC_ROW;
}

/* A record that can be passed over is named by its first line; else the line read last. */
static enum rc name_place(const struct records *r, enum rc rc, struct err *err)
{
    if (rc == RC_OK || rc == RC_ROW || rc == RC_DONE || rc == RC_AGAIN)
        return rc;
    int64_t line = rc == RC_INVALID ? r->line : r->lines.number;
    return err_prefix(err, rc, "%.300s:%lld", r->name, (long long)(line ? line : 1));
}

void records_init(struct records *r, int fd, const char *name, const struct records_opts *opts)
{
    *r = (struct records){.name = name, .opts = *opts};
    lines_init(&r->lines, fd);
    r->lines.never_waits = opts->never_waits;
    if (r->opts.format == FORMAT_GUESS)
        r->opts.format = format_of_name(name);
    char separator = r->opts.format == FORMAT_CSV ? ',' : '\t';
    csv_init(&r->header, separator);
    csv_init(&r->row, separator);
}

void records_fini(struct records *r)
{
    if (!r)
        return;
    lines_fini(&r->lines);
    csv_fini(&r->header);
    csv_fini(&r->row);
    jsonl_fini(&r->item);
}

enum rc records_format(const char *word, enum record_format *ret)
{
    static const char *const words[] = {[FORMAT_JSONL] = "jsonl",
        [FORMAT_CSV] = "csv",
        [FORMAT_TSV] = "tsv",
        [FORMAT_TEXT] = "text"};
    for (size_t i = FORMAT_JSONL; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        *ret = (enum record_format)i;
        return RC_OK;
    }
    return RC_NOTFOUND;
}

enum rc records_header(struct records *r, struct err *err)
{
    return is_table(r) ? name_place(r, read_header(r, err), err) : RC_OK;
}

enum rc records_next(struct records *r, struct record *ret, struct err *err)
{
    *ret = (struct record){0};
    enum rc rc = is_table(r) ? next_of_table(r, ret, err) : next_of_lines(r, ret, err);
    return name_place(r, rc, err);
}

bool records_is_at_end(const struct records *r)
{
    return r->lines.is_eof && r->lines.start == r->lines.end;
}

int64_t records_read_bytes(const struct records *r)
{
    return r->lines.read_bytes - (int64_t)(r->lines.end - r->lines.start);
}

void records_end(struct records *r)
{
    lines_end(&r->lines);
}
