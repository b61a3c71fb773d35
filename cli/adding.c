#include "cli/adding.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bite_size.h"
#include "cli/pool.h"
#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#define BITE_ITEMS_FIRST 1000
#define BITE_BYTES ((size_t)4 * 1024 * 1024)
#define NO_DATA ((size_t)-1)

struct bite_item {
    size_t key, data; /* data: NO_DATA */
    int64_t priority, line;
    bool has_priority;
};

void adding_fini(struct adding *a)
{
    if (!a)
        return;
    buf_fini(&a->bite.texts);
    free(a->bite.items);
    free(a->bite.adds);
    a->bite = (struct bite){0};
}

/* ---- the write lock ---- */

static void on_wait(void *ctx, bool is_waiting)
{
    struct adding *a = ctx;
    a->has_waited = a->has_waited || is_waiting;
}

static void on_busy(void *ctx)
{
    struct adding *a = ctx;
    if (a->on_busy)
        a->on_busy(a->ctx);
}

static void on_lock(void *ctx, bool is_held)
{
    struct adding *a = ctx;
    int64_t now = clock_mono_ns();
    if (is_held)
        a->locked_mono_ns = now;
    else
        a->held_ns = now - a->locked_mono_ns;
}

void adding_watch_lock(struct adding *a)
{
    a->cli->hooks =
        (struct store_hooks){.ctx = a, .on_wait = on_wait, .on_busy = on_busy, .on_lock = on_lock};
}

/* A bite that was cut short by the end of what there is tells little of a full one's cost. */
static void adapt(struct adding *a)
{
    int64_t allowed = a->cli->presence == POOL_ABSENT ? BITE_ALONE_NS : BITE_POOL_NS;
    if (a->has_waited || a->is_shared)
        allowed = BITE_SHARED_NS;
    if (a->bite.len * 2 >= a->bite.limit || a->held_ns > allowed)
        a->bite.limit = bite_next_limit(a->bite.limit, a->bite.len, a->held_ns, allowed);
}

/* ---- bites ---- */

static size_t keep_text(struct bite *bite, const char *text)
{
    size_t at = bite->texts.len;
    buf_add(&bite->texts, text, strlen(text) + 1);
    return at;
}

static void make_room(struct bite *bite)
{
    if (bite->limit == 0)
        bite->limit = BITE_ITEMS_FIRST;
    if (bite->len < bite->cap)
        return;
    bite->cap = bite->cap ? bite->cap * 2 : 16;
    bite->items = xrealloc(bite->items, bite->cap * sizeof(*bite->items));
    bite->adds = xrealloc(bite->adds, bite->cap * sizeof(*bite->adds));
}

void adding_put(struct adding *a, const struct record *record)
{
    struct bite *bite = &a->bite;
    const struct args *args = a->cli->args;
    make_room(bite);
    struct bite_item *item = &bite->items[bite->len++];
    item->key = keep_text(bite, record->key);
    item->data = record->data ? keep_text(bite, record->data) : NO_DATA;
    item->priority = record->priority;
    item->has_priority = record->has_priority;
    item->line = record->line;
    if (!item->has_priority && args_has(args, "priority")) {
        item->priority = args_number(args, "priority", 0);
        item->has_priority = true;
    }
}

bool adding_is_full(const struct adding *a)
{
    return a->bite.len >= a->bite.limit || a->bite.texts.len >= BITE_BYTES;
}

static void fill_adds(struct bite *bite)
{
    const char *texts = bite->texts.data;
    for (size_t i = 0; i < bite->len; i++) {
        const struct bite_item *item = &bite->items[i];
        bite->adds[i] = (struct add_item){.key = texts + item->key,
            .data = item->data == NO_DATA ? NULL : texts + item->data,
            .priority = item->priority,
            .has_priority = item->has_priority};
    }
}

enum rc adding_swallow(struct adding *a, size_t *ret_bad, struct err *err)
{
    struct bite *bite = &a->bite;
    int64_t claimable = a->report.claimable;
    *ret_bad = SIZE_MAX;
    if (bite->len == 0)
        return RC_OK;
    fill_adds(bite);
    a->has_waited = false;
    enum rc rc =
        store_add(a->cli->store, a->job, bite->adds, bite->len, &a->opts, &a->report, ret_bad, err);
    if (rc != RC_INVALID && rc != RC_LIMIT)
        *ret_bad = SIZE_MAX; /* it was not the item's fault */
    if (rc)
        return rc;
    a->last_line = bite->items[bite->len - 1].line;
    adapt(a);
    buf_reset(&bite->texts);
    bite->len = 0;
    if (!a->opts.is_dry_run)
        cli_wake(a->cli, a->report.claimable - claimable);
    cli_checkpoint(a->cli);
    return RC_OK;
}

enum cli_exit adding_fail(const struct adding *a, enum rc rc, size_t bad, const struct err *err)
{
    if (bad >= a->bite.len)
        return cli_fail_rc(rc, err);
    const struct bite_item *item = &a->bite.items[bad];
    if (a->source)
        return cli_fail(CLI_FAILED, "%s:%" PRId64 ": %s", a->source, item->line, err->text);
    struct buf key CLEANUP(buf_fini) = BUF_INIT;
    const char *text = a->bite.texts.data + item->key;
    text_add_printable(&key, text, strlen(text));
    return cli_fail(CLI_USAGE, "\"%.80s\": %s", buf_str(&key), err->text);
}

int64_t adding_count(const struct adding *a)
{
    const struct add_report *r = &a->report;
    return r->new_items + r->merged + r->reopened + r->unchanged;
}

void adding_stop(const struct adding *a, struct interrupt *i, int signum)
{
    char count[32];
    int64_t n = adding_count(a);
    struct buf until CLEANUP(buf_fini) = BUF_INIT;
    if (a->source)
        buf_addf(&until, ", up to %s:%" PRId64 ",", a->source, a->last_line);
    cli_say(a->cli,
        "stopped: %s item%s%s %s %s. To go on, run the same command again: what is there already "
        "is left alone",
        text_count(n, count, sizeof(count)), n == 1 ? "" : "s", buf_str(&until),
        n == 1 ? "was" : "were", a->opts.is_dry_run ? "looked at" : "added");
    interrupt_end(i, signum);
}
