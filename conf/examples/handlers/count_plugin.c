/* Counts lines and words of a file, block by block: a plugin. DATA: {"block":65536}, or none. */
#include <stint-plugin.h>

#include "count.h"

static int open_plugin(const char *data, void **state)
{
    size_t *block = malloc(sizeof(*block));
    unsigned long size = 0;
    if (!block)
        return 1;
    *block = data && sscanf(data, "{\"block\":%lu}", &size) == 1 ? size : count_block_size();
    *state = block;
    return 0;
}

static void count(struct stint_run *run, void *state)
{
    struct count c;
    char text[200];
    FILE *f = fopen(run->key, "r");
    if (!f) {
        stint_fail(run, "cannot read the file");
        return;
    }
    count_read(&c, run->checkpoint);
    long long started_at = c.offset;
    fseek(f, (long)c.offset, SEEK_SET);
    while (!stint_is_cancelled(run) && count_block(&c, f, *(size_t *)state)) {
        count_write(&c, text, sizeof(text));
        stint_progress(run, c.offset, -1, count_total(f));
        stint_checkpoint(run, text);
    }
    snprintf(text, sizeof(text), "{\"lines\":%lld,\"words\":%lld,\"started_at\":%lld}", c.lines,
        c.words, started_at);
    if (c.offset < count_total(f))
        stint_retry(run, "cancelled", -1);
    else
        stint_done(run, text);
    fclose(f);
}

const struct stint_plugin stint_plugin = {
    STINT_PLUGIN_HEAD, .open = open_plugin, .run = count, .close = free};
