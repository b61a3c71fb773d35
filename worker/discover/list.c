#include "worker/discover/list.h"

#include <string.h>
#include <strings.h>

#include "common/base/cleanup.h"
#include "worker/discover/listfile.h"
#include "worker/discover/table.h"

struct format {
    const char *name;
    const char *endings[3];
    enum rc (*read)(struct listfile *f, struct err *err);
};

static enum rc read_text(struct listfile *f, struct err *err)
{
    char *line;
    size_t len;
    enum rc rc;
    while ((rc = listfile_line(f, &line, &len, err)) == RC_ROW) {
        struct listed listed = {.key = line, .key_len = len, .line = f->lines.number};
        rc = len > 0 ? collect_item(f->listing->collect, &listed, err) : RC_OK;
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}

static enum rc read_jsonl(struct listfile *f, struct err *err)
{
    char *line;
    size_t len;
    enum rc rc;
    while ((rc = listfile_line(f, &line, &len, err)) == RC_ROW) {
        rc = listing_jsonl(f->listing, line, len, f->lines.number, err);
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}

static enum rc read_csv(struct listfile *f, struct err *err)
{
    return table_read(f, ',', err);
}

static enum rc read_tsv(struct listfile *f, struct err *err)
{
    return table_read(f, '\t', err);
}

static const struct format formats[] = {
    {"text", {NULL}, read_text},
    {"csv", {".csv", NULL}, read_csv},
    {"tsv", {".tsv", ".tab", NULL}, read_tsv},
    {"jsonl", {".jsonl", ".ndjson", NULL}, read_jsonl},
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static const struct format *format_by_ending(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < FORMATS; i++)
        for (const char *const *e = formats[i].endings; *e; e++)
            if (strcasecmp(dot, *e) == 0)
                return &formats[i];
    return &formats[0];
}

static enum rc choose_format(const struct listing *l, const struct format **ret, struct err *err)
{
    const char *name = listing_option(l, "format");
    if (!name) {
        *ret = format_by_ending(l->job->discover_arg);
        return RC_OK;
    }
    for (size_t i = 0; i < FORMATS; i++) {
        if (strcmp(formats[i].name, name) != 0)
            continue;
        *ret = &formats[i];
        return RC_OK;
    }
    return err_set(err, RC_INVALID,
        "[job %s]: discover.format = %s is unknown; use csv, tsv, jsonl or text", l->job->name,
        name);
}

enum rc list_strategy(const struct listing *l, struct err *err)
{
    const struct format *format;
    CLEANUP(listfile_close) struct listfile file = {.fd = -1};
    enum rc rc = choose_format(l, &format, err);
    if (rc == RC_OK)
        rc = listfile_open(&file, l, err);
    if (rc != RC_OK)
        return rc;
    collect_set_source(l->collect, file.name);
    rc = format->read(&file, err);
    return rc == RC_DONE ? RC_OK : rc;
}
