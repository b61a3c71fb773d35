#include "worker/trial_say.h"

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/sys.h"
#include "worker/result.h"

static void begin(struct json *j, struct buf *out, const char *event)
{
    json_init(j, out);
    json_open_object(j, NULL);
    json_str(j, "event", event);
}

/* Text of a handler as JSON takes it. */
static void add_text(struct json *j, const char *name, const char *text, size_t len)
{
    CLEANUP(buf_fini) struct buf clean = BUF_INIT;
    result_clean(text, len, &clean);
    json_strn(j, name, buf_str(&clean), clean.len);
}

void trial_write(const struct trial *t, struct buf *line)
{
    buf_addc(line, '\n');
    (void)sys_write_all(t->fd, line->data, line->len); /* who is gone need not be told */
}

void trial_asks(const struct trial *t, const char *request, size_t len)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT, text = BUF_INIT;
    struct json j;
    buf_add(&text, request, len > 0 && request[len - 1] == '\n' ? len - 1 : len);
    begin(&j, &line, "request");
    json_raw(&j, "request", buf_str(&text));
    json_end_object(&j);
    trial_write(t, &line);
}

void trial_heard(const struct trial *t, const struct trial_line *said)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    struct json j;
    begin(&j, &line, "message");
    add_text(&j, "line", said->line, said->len);
    json_str(&j, "fault", said->fault);
    json_str(&j, "doubt", said->doubt);
    json_int(&j, "column", (int64_t)said->column);
    json_end_object(&j);
    trial_write(t, &line);
}

void trial_text(const struct trial *t, const char *name, const char *text, size_t len)
{
    CLEANUP(buf_fini) struct buf line = BUF_INIT;
    struct json j;
    if (len == 0)
        return;
    begin(&j, &line, "text");
    json_str(&j, "from", name);
    add_text(&j, "text", text, len);
    json_end_object(&j);
    trial_write(t, &line);
}
