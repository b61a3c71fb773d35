#include "cli/store_talk.h"

#include <string.h>

#include "cli/context.h"
#include "common/base/clock.h"
#include "common/base/locks.h"
#include "common/base/text.h"

#define QUIET_NS (1 * NS_PER_S) /* a pool's own commits take milliseconds */

static void tell_holder(struct store_talk *t)
{
    const char *database = t->cli->config->pool.database;
    pid_t pid = locks_find_writer(database);
    char name[32];
    if (pid <= 0)
        return; /* between two holders: the next look comes soon */
    t->has_told = true;
    locks_read_name(pid, name, sizeof(name));
    cli_say(t->cli,
        "stint: waiting for %s (pid %d), which holds the write lock of %s (Ctrl-C is safe: nothing "
        "is half done)",
        name, (int)pid, database);
}

static void on_begin(void *ctx)
{
    const struct store_talk *t = ctx;
    if (t->cli->hooks.on_begin)
        t->cli->hooks.on_begin(t->cli->hooks.ctx);
}

static void on_wait(void *ctx, bool is_waiting)
{
    struct store_talk *t = ctx;
    t->since_mono_ns = is_waiting ? clock_mono_ns() : 0;
    t->has_told = false;
    if (t->cli->hooks.on_wait)
        t->cli->hooks.on_wait(t->cli->hooks.ctx, is_waiting);
}

static void on_busy(void *ctx)
{
    struct store_talk *t = ctx;
    if (!t->has_told && t->since_mono_ns && clock_mono_ns() - t->since_mono_ns >= QUIET_NS)
        tell_holder(t);
    if (t->cli->hooks.on_busy)
        t->cli->hooks.on_busy(t->cli->hooks.ctx);
}

static void on_lock(void *ctx, bool is_held)
{
    const struct store_talk *t = ctx;
    if (t->cli->hooks.on_lock)
        t->cli->hooks.on_lock(t->cli->hooks.ctx, is_held);
}

static void on_commit(void *ctx, uint32_t wal_pages)
{
    const struct store_talk *t = ctx;
    if (t->cli->hooks.on_commit)
        t->cli->hooks.on_commit(t->cli->hooks.ctx, wal_pages);
}

static void on_given(void *ctx, int64_t uid)
{
    const struct store_talk *t = ctx;
    cli_say(t->cli, "stint: made %s for user %u, who owns its directory",
        t->cli->config->pool.database, (unsigned)uid);
}

void store_talk_hook(struct store_talk *talk, const struct cli *cli, struct store_hooks *ret)
{
    *talk = (struct store_talk){.cli = cli};
    *ret = (struct store_hooks){.ctx = talk,
        .on_begin = on_begin,
        .on_wait = on_wait,
        .on_busy = on_busy,
        .on_lock = on_lock,
        .on_commit = on_commit,
        .on_given = on_given};
}
