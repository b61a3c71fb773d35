#include "cli/handler_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/json_scan.h"
#include "common/base/script.h"
#include "common/base/text.h"
#include "common/config/programs.h"
#include "common/protocol/doubt.h"
#include "common/protocol/request.h"

void handler_check_fini(struct handler_check *c)
{
    for (size_t i = 0; i < c->findings_len; i++) {
        free(c->findings[i].text);
        free(c->findings[i].said);
        free(c->findings[i].fix);
    }
    free(c->findings);
    c->findings = NULL;
    c->findings_len = c->findings_cap = 0;
    handler_end(&c->talk);
    buf_fini(&c->talk.output);
    buf_fini(&c->talk.errors);
    buf_fini(&c->outcome);
    message_fini(&c->m);
}

size_t handler_check_faults(const struct handler_check *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->findings_len; i++)
        n += c->findings[i].is_fault;
    return n;
}

struct finding *finding_add(
    struct handler_check *c, bool is_fault, const char *said, size_t said_len, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&text, fmt, ap);
    va_end(ap);
    if (c->findings_len == c->findings_cap) {
        c->findings_cap = c->findings_cap ? c->findings_cap * 2 : 8;
        c->findings = xrealloc(c->findings, c->findings_cap * sizeof(*c->findings));
    }
    struct finding *f = &c->findings[c->findings_len++];
    *f = (struct finding){.is_fault = is_fault, .text = buf_take(&text)};
    f->said = said ? xstrndup(said, said_len) : NULL;
    return f;
}

const char *check_key(const struct handler_check *c, size_t i)
{
    const char *other = strcmp(c->key, "another") != 0 ? "another" : "one more";
    return i == 0 ? c->key : other;
}

void check_request(const struct handler_check *c, int64_t id, struct buf *out)
{
    const struct request request = {
        .id = id, .job = "check", .stage = "check", .version = "", .deadline_ms = c->timeout_ms};
    static const char *const claims[CHECK_ITEMS] = {"0-1", "0-2"};
    struct request_item items[CHECK_ITEMS];
    for (size_t i = 0; i < CHECK_ITEMS; i++)
        items[i] = (struct request_item){.key = check_key(c, i),
            .data = c->data,
            .attempt = 1,
            .max_attempts = 5,
            .claim = claims[i]};
    size_t before = out->len;
    if (c->is_batch)
        request_write_batch(&request, items, CHECK_ITEMS, out);
    else
        request_write_run(&request, items, out);
    if (c->listener)
        c->listener(c->listener_ctx, '>', out->data + before, out->len - before - 1);
}

int64_t check_deadline(const struct handler_check *c)
{
    return clock_mono_ns() + c->timeout_ms * NS_PER_MS;
}

static const char *where(const struct handler_check *c)
{
    return c->talk.is_resident ? "standard output" : "descriptor 3";
}

static void note_no_message(
    struct handler_check *c, const char *line, size_t len, size_t column, const struct err *err)
{
    size_t first = strspn(line, " \t");
    bool is_text = line[first] != '{';
    bool is_dict = strncmp(line + first, "{'", 2) == 0;
    struct finding *f = finding_add(c, true, line, len, "line %lld of %s: %s",
        (long long)c->talk.said.number, where(c), err->text);
    f->column = is_text ? first + 1 : column;
    if (len <= first + 1 && !is_text)
        f->fix = xstrdup("a message is one line: JSON must not be printed over several");
    if (is_dict)
        f->fix = xstrdup("strings in JSON have double quotes: write what json.dumps() makes of it");
    if (is_text && c->talk.is_resident)
        f->fix = xstrdup("a resident's standard output carries messages only: print to standard "
                         "error, or move it away first, as the helper libraries do");
}

static void note_unknown_type(struct handler_check *c, const char *line, size_t len)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    size_t column = 0;
    (void)doubt_type(&c->m, line, &column, &why);
    struct finding *f = finding_add(c, true, line, len, "line %lld of %s: %s",
        (long long)c->talk.said.number, where(c), buf_str(&why));
    f->column = column;
}

bool check_line(struct handler_check *c, const char *line, size_t len)
{
    struct err err = {""};
    size_t column = 0;
    if (c->listener)
        c->listener(c->listener_ctx, '<', line, len);
    if (message_parse(line, len, &c->m, &column, &err) != RC_OK) {
        note_no_message(c, line, len, column, &err);
        return false;
    }
    if (c->m.type == MESSAGE_UNKNOWN) {
        note_unknown_type(c, line, len);
        return false;
    }
    c->messages_len++;
    return true;
}

void check_keep_outcome(struct handler_check *c)
{
    const struct message *m = &c->m;
    if (c->outcome.len > 0)
        return;
    buf_adds(&c->outcome, message_type_name(m->type));
    if (m->type == MESSAGE_DONE)
        buf_addf(&c->outcome, ", a result of %zu bytes", m->json.len);
    if (m->text.len > 0)
        buf_addf(&c->outcome, ": %s", buf_str(&m->text));
    if (m->after_ms >= 0)
        buf_addf(&c->outcome, ", after %lld ms", (long long)m->after_ms);
}

static size_t find_item(const struct handler_check *c)
{
    size_t i = 0;
    while (i < CHECK_ITEMS && strcmp(buf_str(&c->m.key), check_key(c, i)) != 0)
        i++;
    return i;
}

/* NULL: it may be said of one, or of all. */
static struct finding *judge_key(
    struct handler_check *c, const bool is_answered[CHECK_ITEMS], const char *line, size_t len)
{
    const struct message *m = &c->m;
    const char *name = message_type_name(m->type);
    const bool is_any = m->type == MESSAGE_COST || m->type == MESSAGE_LOG;
    const size_t i = find_item(c);
    if (message_is_outcome(m->type) && m->is_key_null)
        return finding_add(c, true, line, len,
            "the key of this outcome is null: the pool takes it for a protocol error");
    if (m->type == MESSAGE_SPAWN && (!m->has_key || i == CHECK_ITEMS))
        return finding_add(c, true, line, len,
            "spawn without the key of an item of the batch: the pool takes it for a protocol "
            "error");
    if (m->type == MESSAGE_LIMIT || (!m->has_key && (is_any || message_is_outcome(m->type))))
        return NULL;
    if (!m->has_key)
        return finding_add(c, true, line, len, "%s without \"key\": dropped", name);
    if (i == CHECK_ITEMS)
        return finding_add(
            c, true, line, len, "%s about an item that is not in the batch: dropped", name);
    if (is_answered[i] && !is_any)
        return finding_add(
            c, true, line, len, "%s about an item that was answered before: dropped", name);
    return NULL;
}

bool check_item(
    struct handler_check *c, bool is_answered[CHECK_ITEMS], const char *line, size_t len)
{
    struct finding *f = judge_key(c, is_answered, line, len);
    bool has_all = true;
    const bool is_repeat = f && c->m.has_key && find_item(c) < CHECK_ITEMS;
    if (is_repeat && !f->fix)
        f->fix = xstrdup(message_is_outcome(c->m.type) ? "one outcome an item: the first counts"
                                                       : "say it before the item's outcome");
    if (f && !f->fix)
        f->fix = xstrdup("in a batch a message bears the key of its item, as the request has it");
    if (!f && message_is_outcome(c->m.type))
        check_keep_outcome(c);
    for (size_t i = 0; i < CHECK_ITEMS; i++) {
        bool is_meant = !c->m.has_key || find_item(c) == i;
        is_answered[i] = is_answered[i] || (is_meant && !f && message_is_outcome(c->m.type));
        has_all = has_all && is_answered[i];
    }
    return has_all;
}

void check_cannot_start(struct handler_check *c, enum rc rc, int errnum, const struct err *err)
{
    CLEANUP(buf_fini) struct buf fault = BUF_INIT;
    const bool is_file = errnum == ENOENT || errnum == ENOEXEC;
    const char *why = is_file && script_add_fault(c->argv[0], &fault) ? buf_str(&fault)
                      : errnum == ENOENT && !strchr(c->argv[0], '/')
                          ? "not in PATH; what lies here is called with ./ before its name"
                      : errnum == ENOENT
                          ? "no such file, or its interpreter (the #! line) is missing"
                      : errnum == EACCES  ? "not executable; chmod +x it"
                      : errnum == ENOEXEC ? "not a program; does it begin with a #! line?"
                                          : err->text;
    (void)finding_add(c, true, NULL, 0, "cannot start %s: %s", c->argv[0], rc ? why : "");
}

void check_last_words(const struct handler_check *c, struct buf *out)
{
    const struct buf *errors = &c->talk.errors;
    size_t end = errors->len;
    while (end > 0 && strchr(" \t\r\n", errors->data[end - 1]))
        end--;
    const char *from = end > 0 ? memrchr(errors->data, '\n', end) : NULL;
    size_t start = from ? (size_t)(from - errors->data) + 1 : 0;
    if (end > start)
        buf_addf(out, ": %.*s", (int)(end - start), errors->data + start);
}

/* A pool does not start with such a file. */
static void check_writable(struct handler_check *c)
{
    CLEANUP(buf_fini) struct buf why = BUF_INIT;
    if (strchr(c->argv[0], '/') && program_add_writable(c->argv[0], true, &why))
        (void)finding_add(c, true, NULL, 0, "the pool refuses it: %s", buf_str(&why));
}

enum rc handler_check_run(struct handler_check *c, struct err *err)
{
    CLEANUP(buf_fini) struct buf data = BUF_INIT;
    bool is_resident = c->is_resident;
    if (!json_minify(c->data, strlen(c->data), &data))
        return err_set(
            err, RC_INVALID, "--data is not JSON; quote it, like --data '{\"depth\":2}'");
    c->data = buf_str(&data);
    enum rc rc = RC_OK;
    check_writable(c);
    if (!is_resident)
        rc = handler_check_exec(c, &is_resident, err);
    if (rc == RC_OK && is_resident) {
        c->is_resident = true;
        rc = handler_check_resident(c, err);
    }
    c->data = "";
    return rc;
}
