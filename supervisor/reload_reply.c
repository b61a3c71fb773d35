#include "supervisor/reload_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "supervisor/overrides_reply.h"

#define STATUS_LINES 8 /* the log and the answer of `reload` have all */
#define ANSWER_LINES 200
#define LINE_SHOWN 600
#define ROOM_FOR_END 1024

static void add_lines(const struct buf *lines, size_t max, struct reply *reply)
{
    const char *p = buf_str(lines);

    for (size_t n = 0; *p != '\0' && n < max; n++) {
        size_t len = strcspn(p, "\n");
        char line[LINE_SHOWN];

        if (sizeof reply->text - reply->len < LINE_SHOWN * 2 + ROOM_FOR_END)
            break;
        (void)snprintf(line, sizeof line, "%.*s", (int)len, p);
        reply_add(reply, "%s", n > 0 ? "," : "");
        reply_add_json(reply, line);
        p += len + 1;
    }
}

static void add_object(const struct pool *pool, size_t lines_max, struct reply *reply)
{
    const struct reload *r = &pool->reload;
    bool is_refused = r->state == RELOAD_REFUSED;
    const char *what = is_refused ? "problem" : "change";
    char at[32];

    reply_add(reply, "{\"state\":\"%s\",\"at\":\"%s\",\"%s_count\":%zu",
        reload_state_name(r->state), clock_format_wall(r->at_wall_ms, at, sizeof at), what,
        is_refused ? r->lines_len : r->changes.count);
    reply_add(reply, ",\"generation\":%" PRIu64 ",\"retires_workers\":%s,\"%ss\":[",
        r->in_force.generation, !is_refused && r->changes.has_spec ? "true" : "false", what);
    add_lines(&r->lines, lines_max, reply);
    reply_add(reply, "]");
}

static void add_warnings(const struct reload *r, struct reply *reply)
{
    size_t n = 0;

    if (r->state != RELOAD_ACCEPTED)
        return;
    for (const char *p = buf_str(&r->warnings); (p = strchr(p, '\n')) != NULL; p++)
        n++;
    reply_add(reply, ",\"warning_count\":%zu,\"warnings\":[", n);
    add_lines(&r->warnings, STATUS_LINES, reply);
    reply_add(reply, "]");
}

void reload_add_state(const struct pool *pool, struct reply *reply)
{
    if (pool->reload.state == RELOAD_NEVER)
        return;
    reply_add(reply, ",\"reload\":");
    add_object(pool, STATUS_LINES, reply);
    reply_add(reply, "}");
}

void reload_add_outcome(const struct pool *pool, struct reply *reply)
{
    reply_add(reply, "ok\n");
    add_object(pool, ANSWER_LINES, reply);
    overrides_add(pool, reply);
    add_warnings(&pool->reload, reply);
    reply_add(reply, "}\n");
}
