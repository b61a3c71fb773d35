#include "cli/filtering.h"

#include <string.h>

#include "cli/overview.h"
#include "cli/table.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"

#define INDENT 6
#define BEFORE_MAX 60 /* bytes shown before the spot, and from it on */
#define AFTER_MAX 80

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The filter, or the part of it around the spot, and the caret under that. */
static void add_spot(struct buf *out, const char *text, const struct filter_fault *fault)
{
    struct buf before CLEANUP(buf_fini) = BUF_INIT;
    struct buf spot CLEANUP(buf_fini) = BUF_INIT;
    size_t len = strlen(text), from = fault->at > BEFORE_MAX ? fault->at - BEFORE_MAX : 0;
    size_t until = len - fault->at > AFTER_MAX ? fault->at + AFTER_MAX : len;
    size_t spot_end = fault->at + fault->len < until ? fault->at + fault->len : until;
    while (from > 0 && is_inside_character(text[from]))
        from--;
    while (until < len && is_inside_character(text[until]))
        until++;
    if (from > 0)
        buf_adds(&before, "…");
    text_add_printable(&before, text + from, fault->at - from);
    text_add_printable(&spot, text + fault->at, spot_end - fault->at);
    buf_addf(out, "%*s%s%s", INDENT, "", buf_str(&before), buf_str(&spot));
    text_add_printable(out, text + spot_end, until - spot_end);
    buf_adds(out, until < len ? "…\n" : "\n");
    size_t width = text_width(buf_str(&spot));
    buf_addf(out, "%*s", (int)(INDENT + text_width(buf_str(&before))), "");
    for (size_t i = 0; i < (width ? width : 1); i++)
        buf_addc(out, '^');
}

enum cli_exit filtering_read(const struct cli *cli, struct filtering *ret)
{
    struct filter_fault fault = {.at = 0};
    for (size_t i = 0; i < cli->args->words_len; i++)
        buf_addf(&ret->text, "%s%s", i ? " " : "", cli->args->words[i]);
    const char *text = buf_str(&ret->text);
    if (!text_is_utf8(text, strlen(text)))
        return cli_fail(CLI_USAGE, "filter: it is not valid UTF-8");
    if (!filter_parse(text, &ret->filter, &fault))
        return CLI_OK;
    struct buf spot CLEANUP(buf_fini) = BUF_INIT;
    add_spot(&spot, text, &fault);
    return cli_fail(CLI_USAGE, "filter: %s\n%s", fault.what.text, buf_str(&spot));
}

void filtering_fini(struct filtering *f)
{
    buf_fini(&f->text);
    filter_fini(&f->filter);
}

/* A job that nobody knows explains everything. */
static bool say_unknown_job(
    const struct cli *cli, const struct filtering *f, const struct overview *view)
{
    const struct filter_term *term = filter_exactly(&f->filter, FILTER_JOB);
    const char *names[256];
    size_t len = 0;
    if (!term || term->values[0].text[0] == '@' || overview_job(view, term->values[0].text))
        return false;
    for (; len < view->len && len < 256; len++)
        names[len] = view->jobs[len].name;
    const char *near = text_nearest(term->values[0].text, names, len);
    cli_say(cli, near ? "no job \"%s\"; did you mean \"%s\"?" : "no job \"%s\"; see: stint status",
        term->values[0].text, near);
    return true;
}

static void add_quoted(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_adds(out, "'\\''");
        else if (*text == '"' || *text == '\\')
            buf_addf(out, "\\%c", *text);
        else
            buf_addc(out, *text);
    }
}

void filtering_add_item(struct buf *out, const char *job, const char *key)
{
    struct buf shown CLEANUP(buf_fini) = BUF_INIT;
    bool is_plain = !strpbrk(key, " ,\"'\\") && key[0] != '\0';
    text_add_printable(&shown, key, strlen(key));
    buf_addf(out, job ? "'job:%s key:%s" : "'%skey:%s", job ? job : "", is_plain ? "" : "\"");
    if (is_plain)
        buf_adds(out, buf_str(&shown));
    else
        add_quoted(out, key);
    buf_adds(out, is_plain ? "'" : "\"'");
}

/* A word alone is a key; these are meant otherwise. */
static const char *find_joiner(const struct filtering *f)
{
    static const char *const words[] = {
        "AND", "and", "OR", "or", "&&", "||", "(", ")", "NOT", "not"};
    for (size_t i = 0; i < f->filter.len; i++) {
        const struct filter_term *term = &f->filter.terms[i];
        for (size_t k = 0; term->field == FILTER_KEY && k < sizeof(words) / sizeof(*words); k++)
            if (term->op == FILTER_IS && strcmp(term->values[0].text, words[k]) == 0)
                return words[k];
    }
    return NULL;
}

/* The stage that no job has; NULL: there is none. */
static const char *find_unknown_stage(const struct filtering *f, const struct overview *view)
{
    const struct filter_term *stage = filter_exactly(&f->filter, FILTER_STAGE);
    for (size_t i = 0; stage && i < view->len; i++)
        for (size_t k = 0; k < view->jobs[i].stages_len; k++)
            if (strcmp(view->jobs[i].stages[k].name, stage->values[0].text) == 0)
                return NULL;
    return stage ? stage->values[0].text : NULL;
}

/* "failed" is what failed for good: people mean both. */
static bool is_of_exhausted(const struct filtering *f, const struct overview *view)
{
    const struct filter_term *status = filter_exactly(&f->filter, FILTER_STATUS);
    const struct filter_term *job = filter_exactly(&f->filter, FILTER_JOB);
    if (!status || status->values[0].number != STATUS_FAILED)
        return false;
    for (size_t i = 0; i < view->len; i++)
        if ((!job || strcmp(job->values[0].text, view->jobs[i].name) == 0) &&
            view->jobs[i].counts[STATUS_EXHAUSTED] > 0)
            return true;
    return false;
}

static int64_t count_items(const struct overview *view)
{
    int64_t n = 0;
    for (size_t i = 0; i < view->len; i++)
        n += view->jobs[i].items;
    return n;
}

enum cli_exit filtering_say_nothing(const struct cli *cli, const struct filtering *f)
{
    struct overview view CLEANUP(overview_fini) = OVERVIEW_INIT;
    struct err err = {""};
    enum rc rc = overview_take(cli->store, cli->config, &view, &err);
    if (rc)
        return cli_fail_rc(rc, &err);
    if (view.len == 0) {
        cli_say(cli, "no job is configured in %s; a small one to begin with: stint init DIR",
            cli->conf);
    } else if (!say_unknown_job(cli, f, &view)) {
        const struct filter_term *key = filter_exactly(&f->filter, FILTER_KEY);
        struct buf shown CLEANUP(buf_fini) = BUF_INIT;
        text_add_printable(&shown, buf_str(&f->text), f->text.len);
        const char *joiner = find_joiner(f), *stage = find_unknown_stage(f, &view);
        if (joiner)
            cli_say(cli,
                "no stage run matches: %s; \"%s\" is taken as a key: all words must hold, a,b is a "
                "or "
                "b, -word negates: stint help filter",
                buf_str(&shown), joiner);
        else if (stage)
            cli_say(cli, "no stage run matches: %s; no job has a stage \"%s\": stint status JOB",
                buf_str(&shown), stage);
        else if (count_items(&view) == 0)
            cli_say(cli, "nothing found yet: bring in work by stint add JOB KEY, or stint run");
        else if (is_of_exhausted(f, &view))
            cli_say(cli,
                "no stage run matches: %s; but there are exhausted ones, whose attempts are used "
                "up: status:failed,exhausted",
                buf_str(&shown));
        else if (key && overview_job(&view, key->values[0].text))
            cli_say(cli, "no stage run matches: %s; did you mean job:%s?", buf_str(&shown),
                key->values[0].text);
        else
            cli_say(cli, "no stage run matches: %s", buf_str(&shown));
    }
    return CLI_NO_MATCH;
}
