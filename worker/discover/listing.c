#include "worker/discover/listing.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "worker/discover/jsonl.h"

const char *listing_option(const struct listing *l, const char *key)
{
    for (size_t i = 0; i < l->job->discover_options_len; i++)
        if (strcmp(l->job->discover_options[i].key, key) == 0)
            return l->job->discover_options[i].value;
    return NULL;
}

enum rc listing_jsonl(
    const struct listing *l, const char *line, size_t len, int64_t number, struct err *err)
{
    if (jsonl_is_blank(line, len))
        return RC_OK;
    const char *key_name = listing_option(l, "key");
    CLEANUP(jsonl_fini) struct jsonl_item item = {0};
    struct err why;
    if (jsonl_parse(line, len, key_name ? key_name : "key", &item, &why) != RC_OK) {
        collect_refuse(l->collect, number, why.text);
        return RC_OK;
    }
    struct listed listed = {.key = item.key,
        .key_len = strlen(item.key),
        .data = item.data,
        .priority = item.priority,
        .has_priority = item.has_priority,
        .line = number};
    return collect_item(l->collect, &listed, err);
}
