#include "common/protocol/doubt.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

/* Words that people take, and that are no slip of a finger. */
static const struct {
    const char *said;
    enum message_type type;
} others[] = {
    {"complete", MESSAGE_DONE},
    {"completed", MESSAGE_DONE},
    {"finished", MESSAGE_DONE},
    {"ok", MESSAGE_DONE},
    {"result", MESSAGE_DONE},
    {"success", MESSAGE_DONE},
    {"error", MESSAGE_FAIL},
    {"failed", MESSAGE_FAIL},
    {"skipped", MESSAGE_SKIP},
    {"add", MESSAGE_SPAWN},
};

static const char *near_type(const char *said)
{
    const char *names[MESSAGE_TYPE_COUNT];
    size_t n = 0;
    CLEANUP_FREE char *small = xstrdup(said);
    for (char *p = small; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i].said, small) == 0)
            return message_type_name(others[i].type);
    for (int i = MESSAGE_UNKNOWN + 1; i < MESSAGE_TYPE_COUNT; i++)
        names[n++] = message_type_name((enum message_type)i);
    return text_nearest(small, names, n);
}

bool doubt_type(const struct message *m, const char *line, size_t *ret_column, struct buf *out)
{
    const char *at = line;
    size_t len = 0;
    if (m->type != MESSAGE_UNKNOWN)
        return false;
    (void)json_member(line, "type", &at, &len);
    CLEANUP_FREE char *said = len > 2 ? xstrndup(at + 1, len - 2) : xstrdup("");
    const char *near = near_type(said);
    buf_adds(out, "unknown type");
    if (near)
        buf_addf(out, "; did you mean \"%s\"?", near);
    buf_adds(out, ": ignored");
    *ret_column = (size_t)(at - line) + 1;
    return true;
}

bool doubt_id(const struct message *m, int64_t last_id, bool is_open, struct buf *out)
{
    const char *name = message_type_name(m->type);
    const long long id = (long long)m->id;
    if (m->type == MESSAGE_HELLO || m->type == MESSAGE_UNKNOWN)
        return false;
    if (!m->has_id)
        buf_addf(out, "%s without \"id\"", name);
    else if (m->id < 1 || m->id > last_id)
        buf_addf(out, "%s for id %lld, which was not asked: dropped", name, id);
    else if (!is_open)
        buf_addf(out, "%s for id %lld, which was answered before: dropped", name, id);
    return out->len > 0;
}
