#include "worker/discover/table.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "worker/discover/csv.h"

struct table {
    struct listfile *file;
    char sep;
    struct csv_row header, row; /* point into the two texts below */
    struct buf header_text, record;
    size_t key_column;
};

static void end_table(struct table *t)
{
    csv_fini(&t->header);
    csv_fini(&t->row);
    buf_fini(&t->header_text);
    buf_fini(&t->record);
}

/* A record is a line, or more when a quoted field holds line ends. *ret_line: its first. */
static enum rc next_record(struct table *t, int64_t *ret_line, struct err *err)
{
    char *line;
    size_t len;
    bool is_open = false;
    buf_reset(&t->record);
    do {
        enum rc rc = listfile_line(t->file, &line, &len, err);
        if (rc == RC_DONE && is_open)
            return RC_ROW; /* splitting it will say that a quote is not closed */
        if (rc != RC_ROW)
            return rc;
        if (!is_open)
            *ret_line = t->file->lines.number;
        if (t->record.len + len > LINE_MAX_BYTES)
            return err_set(err, RC_LIMIT,
                "%s:%lld: a record longer than %d bytes; is a quote not closed?", t->file->name,
                (long long)*ret_line, LINE_MAX_BYTES);
        if (is_open)
            buf_addc(&t->record, '\n');
        buf_add(&t->record, line, len);
        is_open = t->sep == ',' && csv_is_open(line, len, is_open);
    } while (is_open);
    return RC_ROW;
}

static enum rc find_key_column(struct table *t, struct err *err)
{
    const char *wanted = listing_option(t->file->listing, "key");
    const char *name = wanted ? wanted : "key";
    for (size_t i = 0; i < t->header.len; i++) {
        if (strcmp(t->header.fields[i], name) != 0)
            continue;
        t->key_column = i;
        return RC_OK;
    }
    if (!wanted)
        return RC_OK; /* the first column */
    const char *near = text_nearest(name, (const char *const *)t->header.fields, t->header.len);
    if (near)
        return err_set(err, RC_INVALID, "%s:1: no column \"%s\"; did you mean discover.key = %s?",
            t->file->name, name, near);
    return err_set(err, RC_INVALID,
        "%s:1: no column \"%s\"; set discover.key to a name of this line", t->file->name, name);
}

/* RC_ROW when there is one; RC_DONE: the file is empty. */
static enum rc read_header(struct table *t, struct err *err)
{
    int64_t line;
    enum rc rc = next_record(t, &line, err);
    if (rc != RC_ROW)
        return rc;
    buf_add(&t->header_text, buf_str(&t->record), t->record.len);
    rc = csv_split(t->header_text.data, t->sep, &t->header, err);
    if (rc != RC_OK)
        return err_prefix(err, rc, "%s:1", t->file->name);
    rc = find_key_column(t, err);
    return rc == RC_OK ? RC_ROW : rc;
}

static void write_data(const struct table *t, struct buf *data)
{
    struct json j;
    json_init(&j, data);
    json_open_object(&j, NULL);
    for (size_t i = 0; i < t->row.len; i++)
        if (i != t->key_column)
            json_str(&j, t->header.fields[i], t->row.fields[i]);
    json_end_object(&j);
}

static enum rc split_record(struct table *t, struct err *err)
{
    if (strlen(buf_str(&t->record)) != t->record.len)
        return err_set(err, RC_INVALID, "a NUL byte in the record; is this really text?");
    enum rc rc = csv_split(t->record.data, t->sep, &t->row, err);
    if (rc != RC_OK)
        return rc;
    if (t->row.len != t->header.len)
        return err_set(err, RC_INVALID, "%zu fields where the first line names %zu", t->row.len,
            t->header.len);
    for (size_t i = 0; i < t->row.len; i++)
        if (!text_is_utf8(t->row.fields[i], strlen(t->row.fields[i])))
            return err_set(err, RC_INVALID,
                "field %zu is not UTF-8; convert the file, e.g. iconv -f latin1 -t utf8", i + 1);
    return RC_OK;
}

static enum rc take_record(struct table *t, int64_t line, struct err *err)
{
    struct collect *collect = t->file->listing->collect;
    struct err why;
    if (split_record(t, &why) != RC_OK) {
        collect_refuse(collect, line, why.text);
        return RC_OK;
    }
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    if (t->row.len > 1)
        write_data(t, &data);
    const char *key = t->row.fields[t->key_column];
    struct listed listed = {.key = key, .key_len = strlen(key), .data = data.data, .line = line};
    return collect_item(collect, &listed, err);
}

enum rc table_read(struct listfile *f, char sep, struct err *err)
{
    CLEANUP(end_table) struct table t = {.file = f, .sep = sep};
    int64_t line = 0;
    enum rc rc = read_header(&t, err);
    if (rc != RC_ROW)
        return rc;
    while ((rc = next_record(&t, &line, err)) == RC_ROW) {
        rc = t.record.len > 0 ? take_record(&t, line, err) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}
