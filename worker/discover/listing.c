#include "worker/discover/listing.h"

#include <string.h>

const char *listing_option(const struct listing *l, const char *key)
{
    for (size_t i = 0; i < l->job->discover_options_len; i++)
        if (strcmp(l->job->discover_options[i].key, key) == 0)
            return l->job->discover_options[i].value;
    return NULL;
}

struct records_opts listing_records_opts(const struct listing *l)
{
    return (struct records_opts){
        .key_name = listing_option(l, "key"), .key_option = "discover.key"};
}

static enum rc take_record(const struct listing *l, const struct record *record, struct err *err)
{
    struct listed listed = {.key = record->key,
        .key_len = strlen(record->key),
        .data = record->data,
        .priority = record->priority,
        .has_priority = record->has_priority,
        .line = record->line};
    return collect_item(l->collect, &listed, err);
}

enum rc listing_take(const struct listing *l, struct records *records, struct err *err)
{
    struct record record;
    for (;;) {
        enum rc rc = records_next(records, &record, err);
        if (rc == RC_INVALID) {
            collect_refuse(l->collect, err->text);
            continue;
        }
        if (rc != RC_ROW)
            return rc == RC_DONE ? RC_OK : rc;
        rc = take_record(l, &record, err);
        if (rc != RC_OK)
            return rc;
    }
}
