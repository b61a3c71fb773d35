#include "worker/result.h"

#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

struct exit_range {
    int first, last;
    enum end_cause cause;
};

/* What no row names is a retry. */
static const struct exit_range exits[] = {
    {0, 0, END_DONE}, {64, 68, END_FAIL}, /* sysexits: usage, data, input, user, host */
    {70, 70, END_FAIL},                   /* internal software error */
    {77, 78, END_STAGE_PAUSE},            /* permission, configuration */
    {99, 99, END_SKIP}, {100, 100, END_FAIL},
    {126, 127, END_STAGE_PAUSE}, /* a shell's: cannot execute, not found */
};

enum end_cause result_cause(int status)
{
    if (!WIFEXITED(status))
        return END_RETRY;
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
        if (WEXITSTATUS(status) >= exits[i].first && WEXITSTATUS(status) <= exits[i].last)
            return exits[i].cause;
    return END_RETRY;
}

void result_how(int status, struct buf *out)
{
    if (WIFEXITED(status))
        buf_addf(out, "exit %d", WEXITSTATUS(status));
    else
        buf_addf(out, "signal %d", WTERMSIG(status));
}

void result_ended(int status, struct buf *out)
{
    if (WIFEXITED(status)) {
        result_how(status, out);
        return;
    }
    const char *name = sigabbrev_np(WTERMSIG(status));
    buf_addf(out, "killed by signal %d", WTERMSIG(status));
    if (name != NULL)
        buf_addf(out, " (SIG%s)", name);
}

void result_span(int64_t ms, struct buf *out)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{3600000, "h"}, {60000, "min"}, {1000, "s"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms >= units[i].ms && ms % units[i].ms == 0) {
            buf_addf(out, "%lld %s", (long long)(ms / units[i].ms), units[i].unit);
            return;
        }
    }
    buf_addf(out, "%lld ms", (long long)ms);
}

void result_timeout(int64_t timeout_ms, struct buf *out)
{
    buf_adds(out, "timeout after ");
    result_span(timeout_ms, out);
}

void result_clean(const char *data, size_t len, struct buf *out)
{
    size_t start = 0; /* of what is clean and not yet added */
    for (size_t i = 0; i < len;) {
        size_t n = data[i] == '\0' ? 0 : text_utf8_step(data + i, len - i);
        if (n == 0) {
            buf_add(out, data + start, i - start);
            buf_adds(out, "\xef\xbf\xbd");
            start = i + 1;
        }
        i += n == 0 ? 1 : n;
    }
    buf_add(out, data + start, len - start);
}

static bool is_json(const char *data, size_t len)
{
    json_t *value = json_loadb(data, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(value);
    return value != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void result_json(const char *data, size_t len, struct buf *out)
{
    size_t from = 0, to = len;
    while (from < to && is_space(data[from]))
        from++;
    while (to > from && is_space(data[to - 1]))
        to--;
    if (from == to) {
        buf_adds(out, "null");
        return;
    }
    if (is_json(data + from, to - from)) {
        buf_add(out, data + from, to - from);
        return;
    }
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    CLEANUP(buf_fini) struct buf clean = BUF_INIT;
    struct json j;
    result_clean(data, len, &clean);
    json_init(&j, out);
    json_strn(&j, NULL, buf_str(&clean), clean.len);
}

static bool is_blank(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_space(s[i]))
            return false;
    return true;
}

void result_why(const char *text, size_t len, struct buf *out)
{
    size_t before = out->len, end = before + RESULT_WHY_MAX;
    text_add_printable(out, text, len);
    if (out->len <= end)
        return;
    while (end > before && ((unsigned char)out->data[end] & 0xc0) == 0x80)
        end--;
    out->len = end;
    out->data[end] = '\0';
}

struct line {
    const char *start;
    size_t len;
};

/* The last one before *end that is not blank, without blanks behind it; *end: where it begins. */
static bool line_before(const char *data, size_t *end, struct line *ret)
{
    while (*end > 0) {
        const size_t to = data[*end - 1] == '\n' ? *end - 1 : *end;
        const char *newline = to > 0 ? memrchr(data, '\n', to) : NULL;
        const size_t from = newline == NULL ? 0 : (size_t)(newline - data) + 1;
        size_t len = to - from;
        *end = from;
        if (is_blank(data + from, len))
            continue;
        while (is_space(data[from + len - 1]))
            len--;
        *ret = (struct line){data + from, len};
        return true;
    }
    return false;
}

static bool begins_with(const struct line *line, const char *words)
{
    const size_t len = strlen(words);
    return line->len >= len && memcmp(line->start, words, len) == 0;
}

/* What an uncaught exception of Node.js leaves: the place in the source, the error, its stack
 * (lines of "    at"), perhaps its members in braces, and the version last. *end: where the version
 * stands. False: no stack. */
static bool error_of_node(const char *data, size_t end, struct line *ret)
{
    struct line line;
    bool is_in_stack = false;
    while (line_before(data, &end, &line)) {
        const bool is_stack = begins_with(&line, "    at ");
        if (is_in_stack && !is_stack) {
            *ret = line;
            return true;
        }
        is_in_stack = is_in_stack || is_stack;
    }
    return false;
}

void result_last_line(const char *data, size_t len, struct buf *out)
{
    struct line line;
    if (!line_before(data, &len, &line))
        return;
    if (begins_with(&line, "Node.js v"))
        (void)(error_of_node(data, len, &line) || line_before(data, &len, &line));
    result_why(line.start, line.len, out);
}
