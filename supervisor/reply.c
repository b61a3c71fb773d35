#include "supervisor/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/ipc/claim.h"
#include "common/ipc/home.h"
#include "supervisor/overrides_reply.h"
#include "supervisor/reload_reply.h"
#include "supervisor/resources_reply.h"
#include "supervisor/take_reply.h"

#define WORKER_LINE_MAX 512

void reply_add(struct reply *reply, const char *fmt, ...)
{
    size_t room = sizeof reply->text - reply->len;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(reply->text + reply->len, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        reply->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* A JSON string; bytes that are not UTF-8 become '?'. Cut when it would not fit. */
void reply_add_json(struct reply *reply, const char *text)
{
    bool is_utf8 = text_is_utf8(text, strlen(text));

    reply_add(reply, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (sizeof reply->text - reply->len < 1024)
            break;
        if (*p == '"' || *p == '\\')
            reply_add(reply, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            reply_add(reply, "\\u%04x", *p);
        else
            reply_add(reply, "%c", *p >= 0x80 && !is_utf8 ? '?' : *p);
    }
    reply_add(reply, "\"");
}

void reply_error(struct reply *reply, const char *text)
{
    reply->len = reply->sent = 0;
    reply->next = NULL;
    reply_add(reply, "error %s\n", text);
}

static void answer_ping(struct pool *pool, struct reply *reply)
{
    reply_add(reply, "ok\n{\"pid\":%d,\"pool_id\":\"%s\",\"version\":\"%s\",\"state\":\"%s\"}\n",
        (int)getpid(), pool->mem->pool_id, STINT_VERSION, pool_state_name(pool));
}

/* Only while there is one. */
static void add_foreign_lock(const struct pool *pool, struct reply *reply)
{
    if (pool->foreign.pid == 0)
        return;
    reply_add(reply, ",\"lock_holder\":{\"pid\":%d,\"program\":", (int)pool->foreign.pid);
    reply_add_json(reply, pool->foreign.name);
    reply_add(reply, ",\"for_ms\":%" PRId64 "}",
        (int64_t)((clock_mono_ns() - pool->foreign.since_mono_ns) / NS_PER_MS));
}

static const char *file_of_database(const struct pool *pool, char ret[static HOME_TEXT_MAX])
{
    return home_format(
        atomic_load(&pool->mem->database_device), atomic_load(&pool->mem->database_inode), ret);
}

static void answer_status(struct pool *pool, struct reply *reply)
{
    char started_at[32], file[HOME_TEXT_MAX];

    reply_add(reply, "ok\n{\"pid\":%d,\"version\":\"%s\",\"pool_id\":\"%s\"", (int)getpid(),
        STINT_VERSION, pool->mem->pool_id);
    reply_add(reply, ",\"started_at\":\"%s\",\"state\":\"%s\"",
        clock_format_wall(pool->started_wall_ms, started_at, sizeof started_at),
        pool_state_name(pool));
    reply_add(reply, ",\"workers_target\":%" PRId64 ",\"workers\":%d,\"keeper_pid\":%d",
        pool->scale.target, pool_workers_alive(pool), (int)pool_keeper(pool)->pid);
    reply_add(reply, ",\"database\":");
    reply_add_json(reply, pool->config->pool.database);
    reply_add(reply, ",\"database_file\":\"%s\"", file_of_database(pool, file));
    reply_add(reply, ",\"config\":");
    reply_add_json(reply, pool->config_path);
    add_foreign_lock(pool, reply);
    overrides_add(pool, reply);
    reload_add_state(pool, reply);
    reply_add(reply, "}\n");
}

static void add_worker(struct pool *pool, const struct child *c, struct reply *reply)
{
    struct slot *slot = pool_slot(pool, c);
    int64_t claim = atomic_load(&slot->claim);
    char since[32], text[CLAIM_TEXT_MAX];

    reply_add(reply, "{\"slot\":%" PRIu32 ",\"pid\":%d,\"life\":%" PRId64 ",\"state\":\"%s\"",
        c->slot, (int)c->pid, c->life, worker_state_name(atomic_load(&slot->state)));
    if (claim > 0)
        reply_add(reply, ",\"claim\":\"%s\"", claim_format(claim, text));
    else
        reply_add(reply, ",\"claim\":null");
    reply_add(reply, ",\"runs\":%" PRIu32 ",\"begun\":\"%s\"", atomic_load(&slot->runs),
        claim_format(atomic_load(&slot->begun), text));
    reply_add(reply, ",\"since\":\"%s\",\"handler_pid\":%" PRIu32 "}\n",
        clock_format_wall(atomic_load(&slot->since_wall_ms), since, sizeof since),
        atomic_load(&slot->handler_pid));
}

static void next_workers(struct pool *pool, struct reply *reply)
{
    while (reply->cursor < (size_t)pool->children_used) {
        const struct child *c = &pool->children[reply->cursor];

        if (sizeof reply->text - reply->len < WORKER_LINE_MAX)
            return;
        reply->cursor++;
        if (child_is_alive(c) && !child_is_keeper(c))
            add_worker(pool, c, reply);
    }
}

/* As plain text: for who may not link a reader of JSON. */
static void answer_file(struct pool *pool, struct reply *reply)
{
    reply_add(reply, "ok\n%s\n%s\n", pool->config_path, pool->config->pool.database);
}

static void answer_workers(struct pool *pool, struct reply *reply)
{
    (void)pool;
    reply_add(reply, "ok\n");
    reply->next = next_workers;
}

static void answer_resources(struct pool *pool, struct reply *reply)
{
    (void)pool;
    reply_add(reply, "ok\n");
    reply->next = resources_add_next;
}

static void next_config(struct pool *pool, struct reply *reply)
{
    reply->len = config_box_piece(
        pool->box, reply->generation, reply->cursor, reply->text, sizeof reply->text);
    reply->cursor += reply->len;
}

static void answer_config(struct pool *pool, struct reply *reply)
{
    char file[HOME_TEXT_MAX];

    reply->generation = config_box_accepted(pool->box);
    reply_add(reply, "ok\n%s\n", file_of_database(pool, file));
    reply->next = next_config;
}

static void answer_stop(struct pool *pool, struct reply *reply)
{
    pool_stop(pool, stop_next_mode(&pool->stop), "told over the control socket");
    reply_add(reply, "ok\n");
}

static void answer_stop_now(struct pool *pool, struct reply *reply)
{
    pool_stop(pool, STOP_NOW, "told over the control socket");
    reply_add(reply, "ok\n");
}

static void answer_reload(struct pool *pool, struct reply *reply)
{
    reply->awaits = reload_ask(pool);
}

void reply_resume(struct pool *pool, struct reply *reply)
{
    reply->awaits = 0;
    reload_add_outcome(pool, reply);
}

static void answer_wake(struct pool *pool, const char *number, struct reply *reply)
{
    int64_t n;

    if (text_int(number, 1, INT32_MAX, &n, NULL) != RC_OK) {
        reply_error(reply, "wake takes a number: wake 1");
        return;
    }
    if (pool_wake(pool->mem, (int)n))
        pool_kick(pool);
    reply_add(reply, "ok\n");
}

static void answer_look(struct pool *pool, struct reply *reply)
{
    pool_look(pool);
    reply_add(reply, "ok\n");
}

static const struct {
    const char *request;
    void (*answer)(struct pool *pool, struct reply *reply);
} answers[] = {
    {"ping", answer_ping},
    {"status", answer_status},
    {"file", answer_file},
    {"workers", answer_workers},
    {"resources", answer_resources},
    {"config", answer_config},
    {"stop", answer_stop},
    {"stop now", answer_stop_now},
    {"look", answer_look},
    {"reload", answer_reload},
};

void reply_begin(struct pool *pool, const char *request, struct reply *reply)
{
    reply->len = reply->sent = reply->cursor = 0;
    reply->awaits = 0;
    reply->next = NULL;
    if (strncmp(request, "wake ", 5) == 0) {
        answer_wake(pool, request + 5, reply);
        return;
    }
    if (strncmp(request, "take ", 5) == 0) {
        take_answer(pool, request + 5, reply);
        return;
    }
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (strcmp(request, answers[i].request) == 0) {
            answers[i].answer(pool, reply);
            return;
        }
    }
    reply_error(reply,
        "unknown request; known are: ping, status, file, workers, resources, config, wake N, "
        "take JOB.STAGE, look, stop, stop now, reload");
}
