/* records: items out of a file or stream, one at a time and in constant memory: JSON lines, CSV,
 * TSV or text with a key a line. Every error names FILE:LINE. Used by `add`. Only reads; what an
 * item means to a job is the store's business. */
#ifndef STINT_CLI_RECORDS_H
#define STINT_CLI_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/lines.h"
#include "common/base/buf.h"
#include "common/base/err.h"

enum record_format { FORMAT_GUESS, FORMAT_JSONL, FORMAT_CSV, FORMAT_TSV, FORMAT_TEXT };

/* One CSV record: its cells lie behind each other in text, each ended by NUL. */
struct cells {
    struct buf text;
    size_t *starts;
    size_t len, cap;
};

struct records {
    const char *name; /* for errors: the file, or "standard input"; borrowed */
    struct lines lines;
    enum record_format format;
    struct buf key, data;
    struct cells header, row;
    size_t key_column;
};

/* Valid until the next call. */
struct record {
    const char *key;
    const char *data; /* JSON text, or NULL: none was given */
    int64_t priority;
    bool has_priority;
    int64_t line; /* where it begins */
};

/* FORMAT_GUESS: by the name's ending (.jsonl .ndjson .json .csv .tsv), else by the first byte: '{'
 * is JSON lines, anything else text. fd and name are borrowed. */
void records_init(struct records *r, int fd, const char *name, enum record_format format);
void records_fini(struct records *r);

/* RC_ROW: *ret; RC_DONE; RC_INVALID or RC_LIMIT: a bad record; RC_SYS. After an error: fini. */
MUST_CHECK enum rc records_next(struct records *r, struct record *ret, struct err *err);

/* One line of JSON (records_json.c). key and data are written to; *has_data. */
MUST_CHECK enum rc record_from_json(const char *text, size_t len, struct buf *key, struct buf *data,
    struct record *ret, struct err *err);

#endif
