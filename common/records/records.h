/* records: items out of a file or stream, one at a time and in constant memory: JSON lines, CSV,
 * TSV or text with a key a line. Used by `stint add --from` and by the strategies of
 * stint-discover. Every error names FILE:LINE. Opens nothing, prints nothing; what an item means to
 * a job is the store's business, what becomes of a bad one the caller's. */
#ifndef STINT_RECORDS_RECORDS_H
#define STINT_RECORDS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/records/csv.h"
#include "common/records/jsonl.h"
#include "common/records/lines.h"

enum record_format { FORMAT_GUESS, FORMAT_JSONL, FORMAT_CSV, FORMAT_TSV, FORMAT_TEXT };

/* All borrowed. */
struct records_opts {
    /* FORMAT_GUESS: by the name's ending (.jsonl .ndjson .json .csv .tsv .tab .txt), else by the
     * first byte: '{' is JSON lines, anything else text. */
    enum record_format format;
    const char *key_name;   /* column or member; NULL: "key" */
    const char *key_option; /* how a person sets key_name ("discover.key"), for hints; or NULL */
    bool never_waits;       /* RC_AGAIN instead of waiting, also where the descriptor would block */
};

struct records {
    const char *name; /* for errors: the file, or "standard input"; borrowed */
    struct records_opts opts;
    struct lines lines;
    int64_t line; /* where the newest record begins */
    struct csv header, row;
    size_t key_column;
    struct err why; /* of a bad CSV record whose end is not reached yet */
    struct jsonl_item item;
};

/* Valid until the next call. */
struct record {
    const char *key;
    const char *data; /* JSON text, or NULL: none was given */
    int64_t priority;
    bool has_priority;
    int64_t line; /* where it begins */
};

/* fd and name are borrowed. */
void records_init(struct records *r, int fd, const char *name, const struct records_opts *opts);
void records_fini(struct records *r);

/* "jsonl", "csv", "tsv", "text"; RC_NOTFOUND: something else. */
MUST_CHECK enum rc records_format(const char *word, enum record_format *ret);

/* Before the first record: reads the header of CSV and TSV. RC_OK also where there is none: another
 * format, an empty file. RC_INVALID: it cannot be used; the rest as records_next. */
MUST_CHECK enum rc records_header(struct records *r, struct err *err);

/* RC_ROW: *ret. RC_INVALID: a bad record, ret->line; the next call reads the one behind it, so the
 * caller chooses whether to stop or to go on. RC_DONE. RC_AGAIN: a non-blocking descriptor has no
 * whole record now. After RC_LIMIT and RC_SYS there is no going on. */
MUST_CHECK enum rc records_next(struct records *r, struct record *ret, struct err *err);

bool records_is_at_end(const struct records *r); /* all of the stream was read and given away */
/* How much of the stream was given away as records. */
int64_t records_read_bytes(const struct records *r);

/* Nothing more will come, though the descriptor may be open: what is there is the last line. */
void records_end(struct records *r);

#endif
