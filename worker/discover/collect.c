#include "worker/discover/collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/ipc/control.h"

#define HASH_SIZE 4096 /* a power of two, well over COLLECT_BITE */
#define BITE_BYTES_MAX (8 << 20)
#define REFUSALS_SHOWN 10
#define WAKE_TIMEOUT_MS 250

struct entry {
    char *key;
    char *data; /* NULL: leave as it is */
    int64_t priority;
    bool has_priority;
    int64_t line;
};

struct collect {
    struct collect_opts opts;
    const char *source;
    struct collect_totals totals;
    struct entry bite[COLLECT_BITE];
    size_t len, bytes;
    uint16_t slots[HASH_SIZE]; /* index in bite + 1; 0: free */
};

struct collect *collect_new(const struct collect_opts *opts)
{
    struct collect *c = xcalloc(1, sizeof(*c));
    c->opts = *opts;
    c->source = "";
    return c;
}

static void forget_bite(struct collect *c)
{
    for (size_t i = 0; i < c->len; i++) {
        free(c->bite[i].key);
        free(c->bite[i].data);
    }
    c->len = 0;
    c->bytes = 0;
    memset(c->slots, 0, sizeof(c->slots));
}

void collect_free(struct collect *c)
{
    if (!c)
        return;
    forget_bite(c);
    for (size_t i = 0; i < c->totals.examples_len; i++)
        free(c->totals.examples[i]);
    free(c);
}

void collect_set_source(struct collect *c, const char *source)
{
    c->source = source;
}

void collect_refuse(struct collect *c, const char *why)
{
    c->totals.refused++;
    if (c->totals.refused > REFUSALS_SHOWN)
        return;
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    text_add_printable(&text, why, strlen(why));
    fprintf(stderr, "%s\n", buf_str(&text));
}

/* line: 0: nowhere */
static void refuse_at(struct collect *c, int64_t line, const char *why)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    buf_adds(&text, c->source);
    if (line > 0)
        buf_addf(&text, ":%lld", (long long)line);
    buf_addf(&text, ": %s", why);
    collect_refuse(c, buf_str(&text));
}

static uint32_t hash_key(const char *key)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return h;
}

/* The slot that holds key, or the free one where it belongs. */
static uint16_t *find_slot(struct collect *c, const char *key)
{
    uint32_t i = hash_key(key) % HASH_SIZE;
    while (c->slots[i] && strcmp(c->bite[c->slots[i] - 1].key, key) != 0)
        i = (i + 1) % HASH_SIZE;
    return &c->slots[i];
}

/* As two adds in a row would leave it: the later data wins, or the first one with merge = keep. */
static void merge_repeat(struct collect *c, struct entry *entry, const struct listed *item)
{
    if (item->has_priority) {
        entry->priority = item->priority;
        entry->has_priority = true;
    }
    if (!item->data || (c->opts.is_merge_keep && entry->data))
        return;
    free(entry->data);
    entry->data = xstrdup(item->data);
    c->bytes += strlen(item->data);
}

/* Counts as if nothing were in the database; for -n where there is none yet. */
static void count_as_new(struct collect *c)
{
    c->totals.added.new_items += (int64_t)c->len;
}

static void drop_entry(struct collect *c, size_t at)
{
    free(c->bite[at].key);
    free(c->bite[at].data);
    memmove(&c->bite[at], &c->bite[at + 1], (c->len - at - 1) * sizeof(c->bite[0]));
    c->len--;
}

static enum rc add_once(struct collect *c, struct add_report *report, size_t *bad, struct err *err)
{
    struct add_item items[COLLECT_BITE];
    for (size_t i = 0; i < c->len; i++)
        items[i] = (struct add_item){.key = c->bite[i].key,
            .data = c->bite[i].data,
            .priority = c->bite[i].priority,
            .has_priority = c->bite[i].has_priority};
    struct add_options options = {.source = "discover", .is_dry_run = c->opts.is_dry_run};
    *report = (struct add_report){0};
    *bad = SIZE_MAX;
    return store_add(c->opts.store, c->opts.job, items, c->len, &options, report, bad, err);
}

/* An item that the store refuses (too large, say) is named and left out; the others go in. */
static enum rc add_bite(struct collect *c, struct add_report *report, struct err *err)
{
    while (c->len > 0) {
        struct err why;
        size_t bad;
        enum rc rc = add_once(c, report, &bad, &why);
        if (rc == RC_OK)
            return RC_OK;
        if (rc != RC_INVALID || bad >= c->len)
            return err_set(err, rc, "%s", why.text);
        refuse_at(c, c->bite[bad].line, why.text);
        drop_entry(c, bad);
    }
    *report = (struct add_report){0};
    return RC_OK;
}

/* The keeper's watch sees our commit anyway; asking saves its round trip. No pool: no harm. */
static void wake_pool(const struct collect *c, int64_t claimable)
{
    if (!c->opts.socket || c->opts.is_dry_run || claimable <= 0)
        return;
    char request[64];
    int len = snprintf(request, sizeof(request), "wake %lld", (long long)claimable);
    if (len > 0 && (size_t)len < sizeof(request))
        (void)!control_ask(c->opts.socket, request, WAKE_TIMEOUT_MS, NULL, NULL);
}

static void add_up(struct collect_totals *totals, const struct add_report *report)
{
    totals->added.new_items += report->new_items;
    totals->added.merged += report->merged;
    totals->added.reopened += report->reopened;
    totals->added.unchanged += report->unchanged;
    totals->added.ended += report->ended;
    totals->added.claimable += report->claimable;
}

static void remember_examples(struct collect *c)
{
    for (size_t i = 0; i < c->len && c->totals.examples_len < COLLECT_EXAMPLES; i++)
        c->totals.examples[c->totals.examples_len++] = xstrdup(c->bite[i].key);
}

enum rc collect_flush(struct collect *c, struct err *err)
{
    if (c->len == 0)
        return RC_OK;
    if (!c->opts.store) {
        count_as_new(c);
    } else {
        struct add_report report;
        enum rc rc = add_bite(c, &report, err);
        if (rc != RC_OK)
            return rc;
        add_up(&c->totals, &report);
        wake_pool(c, report.claimable);
    }
    c->totals.found += (int64_t)c->len;
    remember_examples(c);
    forget_bite(c);
    return RC_OK;
}

static bool is_full(const struct collect *c)
{
    return c->len == COLLECT_BITE || c->bytes >= BITE_BYTES_MAX;
}

static bool is_limit_reached(const struct collect *c)
{
    return c->opts.limit > 0 && c->totals.found + (int64_t)c->len >= c->opts.limit;
}

static void push_entry(struct collect *c, const struct listed *item, char *key)
{
    c->bite[c->len++] = (struct entry){
        .key = key,
        .data = item->data ? xstrdup(item->data) : NULL,
        .priority = item->priority,
        .has_priority = item->has_priority,
        .line = item->line,
    };
    c->bytes += item->key_len + (item->data ? strlen(item->data) : 0);
}

enum rc collect_item(struct collect *c, const struct listed *item, struct err *err)
{
    struct err why;
    if (text_check_key(item->key, item->key_len, &why) != RC_OK) {
        refuse_at(c, item->line, why.text);
        return RC_OK;
    }
    CLEANUP_FREE char *key = xstrndup(item->key, item->key_len);
    uint16_t *slot = find_slot(c, key);
    if (*slot) {
        merge_repeat(c, &c->bite[*slot - 1], item);
    } else {
        push_entry(c, item, TAKE_PTR(key));
        *slot = (uint16_t)c->len;
    }
    enum rc rc = is_full(c) ? collect_flush(c, err) : RC_OK;
    return rc == RC_OK && is_limit_reached(c) ? RC_DONE : rc;
}

bool collect_is_empty(const struct collect *c)
{
    return c->len == 0;
}

const struct collect_totals *collect_totals(const struct collect *c)
{
    return &c->totals;
}
