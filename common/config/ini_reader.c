#include "common/config/ini_reader.h"

#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/options.h"

#define BLANKS " \t\v\f"
#define KEY_SHOWN_MAX 64

/* Where the reader is in the text. A key line "key = value" reaches inih as "key = @N", where N is
 * the place of the pair in `raw`; a section as "[@N]", N its place in the document; all else as an
 * empty line. Only what inih reports back becomes part of the document. */
struct reader {
    const char *next;
    size_t line;
    const char *file;
    struct problems *problems;
    struct ini_document *document;
    struct ini_pair *raw;
    size_t raw_len;
    size_t key_indent; /* in columns, of the key that an indented line would go on with */
    bool is_in_value;
    bool is_skipping; /* below a line that should have been a section */
};

static void *grown(void *list, size_t len, size_t size)
{
    /* Doubles at each power of two. */
    return len == 0 || (len & (len - 1)) == 0 ? xrealloc(list, (len ? len * 2 : 1) * size) : list;
}

static char *trimmed(const char *text, size_t len)
{
    while (len > 0 && strchr(BLANKS "\r", text[len - 1]))
        len--;
    size_t skip = 0;
    while (skip < len && strchr(BLANKS, text[skip]))
        skip++;
    return xstrndup(text + skip, len - skip);
}

static void problem(struct reader *r, const char *what, const char *shown, size_t len)
{
    struct place at = {.file = r->file, .line = r->line};
    bool is_long = len > KEY_SHOWN_MAX;
    problem_add(r->problems, &at, "\"%.*s%s\" %s", (int)(is_long ? KEY_SHOWN_MAX : len), shown,
        is_long ? "…" : "", what);
}

static void take_section(struct reader *r, const char *text, size_t len, char *out, size_t cap)
{
    const char *close = memchr(text, ']', len);
    r->is_skipping = true;
    if (!close || strspn(close + 1, BLANKS) < len - (size_t)(close + 1 - text)) {
        problem(r,
            close ? "has text behind the section; a comment stands on a line of its own"
                  : "is no section; expected a line like [job NAME]",
            text, len);
        return;
    }
    r->is_skipping = false;
    struct ini_document *d = r->document;
    d->sections = grown(d->sections, d->len, sizeof(*d->sections));
    d->sections[d->len++] = (struct ini_section){
        .title = trimmed(text + 1, (size_t)(close - text - 1)),
        .line = r->line,
    };
    (void)snprintf(out, cap, "[@%zu]\n", d->len - 1);
}

static bool is_key(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return len > 0 && len <= KEY_SHOWN_MAX && !key[len];
}

static void take_pair(struct reader *r, const char *text, size_t len, char *out, size_t cap)
{
    const char *equals = memchr(text, '=', len);
    char *key = trimmed(text, equals ? (size_t)(equals - text) : 0);
    if (!is_key(key)) {
        problem(r, "is neither a section nor KEY = VALUE (a comment begins with #)", text, len);
        free(key);
        return;
    }
    if (r->document->len == 0 && !r->is_skipping) {
        problem(r, "stands before the first section; expected a line like [pool] above it", key,
            strlen(key));
        free(key);
        return;
    }
    if (!r->is_skipping)
        (void)snprintf(out, cap, "%s = @%zu\n", key, r->raw_len);
    r->raw = grown(r->raw, r->raw_len, sizeof(*r->raw));
    r->raw[r->raw_len++] = (struct ini_pair){
        .key = key,
        .value = trimmed(equals + 1, len - (size_t)(equals + 1 - text)),
        .line = r->line,
    };
    r->is_in_value = true;
}

/* "workers = 4" that is indented by mistake. Without the blank it may be a line of a script. */
static bool looks_like_key(const char *text)
{
    size_t len = strcspn(text, BLANKS "=\n");
    if (!strchr(BLANKS, text[len]) || text[len + strspn(text + len, BLANKS)] != '=')
        return false;
    char *key = xstrndup(text, len);
    bool is_known = false;
    for (size_t i = 0; i < SECTION_COUNT && !is_known; i++)
        is_known = option_in((enum option_section)i, key) != NULL;
    free(key);
    return is_known;
}

static void take_more(struct reader *r, const char *text, size_t len)
{
    if (looks_like_key(text))
        problem(r,
            "is indented further than the key above: that makes it a part of its value; indent it "
            "less, or, if it is meant so, leave out the blank before the =",
            text, strcspn(text, "\r\n"));
    struct ini_pair *pair = &r->raw[r->raw_len - 1];
    char *more = trimmed(text, len);
    char *joined = *pair->value ? xasprintf("%s\n%s", pair->value, more) : xstrdup(more);
    free(pair->value);
    free(more);
    pair->value = joined;
}

/* As people see it: a tab goes to the next multiple of 8. */
static size_t columns_of(const char *line, size_t indent)
{
    size_t columns = 0;
    for (size_t i = 0; i < indent; i++)
        columns = line[i] == '\t' ? (columns / 8 + 1) * 8 : columns + 1;
    return columns;
}

/* One line of the file, without its newline. */
static void take_line(struct reader *r, const char *line, size_t len, char *out, size_t cap)
{
    size_t indent = strspn(line, BLANKS), columns = columns_of(line, indent);
    const char *text = line + indent;
    if (indent >= len || strspn(line, BLANKS "\r") >= len) {
        r->is_in_value = false;
        return;
    }
    len -= indent;
    while (text[len - 1] == '\r')
        len--;
    if (*text == '#' || *text == ';')
        return;
    if (r->is_in_value && columns > r->key_indent) {
        take_more(r, text, len);
        return;
    }
    r->is_in_value = false;
    r->key_indent = columns;
    if (*text == '[')
        take_section(r, text, len, out, cap);
    else
        take_pair(r, text, len, out, cap);
}

/* inih's reader: like fgets. */
static char *next_line(char *out, int cap, void *arg)
{
    struct reader *r = arg;
    if (!*r->next || cap < 100)
        return NULL;
    const char *line = r->next;
    size_t len = strcspn(line, "\n");
    r->next = line + len + (line[len] == '\n');
    r->line++;
    memcpy(out, "\n", 2);
    take_line(r, line, len, out, (size_t)cap);
    return out;
}

static int on_pair(void *arg, const char *section, const char *name, const char *value)
{
    struct reader *r = arg;
    size_t s = strtoul(section + (*section == '@'), NULL, 10);
    size_t v = strtoul(value + (*value == '@'), NULL, 10);
    if (s >= r->document->len || v >= r->raw_len || strcmp(r->raw[v].key, name) != 0)
        return 0;
    struct ini_section *to = &r->document->sections[s];
    to->pairs = grown(to->pairs, to->pairs_len, sizeof(*to->pairs));
    /* The value stays in raw until the end: it may go on in the next lines. */
    to->pairs[to->pairs_len++] = (struct ini_pair){.line = v};
    return 1;
}

/* The pairs hold places in raw until all lines are read; now they get what is there. */
static void hand_over(struct reader *r)
{
    for (size_t s = 0; s < r->document->len; s++) {
        struct ini_section *section = &r->document->sections[s];
        for (size_t i = 0; i < section->pairs_len; i++) {
            struct ini_pair *from = &r->raw[section->pairs[i].line];
            section->pairs[i] = *from;
            *from = (struct ini_pair){.key = NULL};
        }
    }
    for (size_t i = 0; i < r->raw_len; i++) {
        free(r->raw[i].key);
        free(r->raw[i].value);
    }
    free(r->raw);
}

void ini_document_read(
    struct ini_document *ret, const char *file, const char *text, struct problems *problems)
{
    *ret = (struct ini_document){.sections = NULL};
    struct reader r = {.next = text, .file = file, .problems = problems, .document = ret};
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        r.next += 3;
    int failed = ini_parse_stream(next_line, &r, on_pair, &r);
    if (failed) { /* its own idea of a line differs from ours */
        r.line = failed > 0 ? (size_t)failed : 0;
        problem(&r, "cannot be read here", "the file", strlen("the file"));
    }
    hand_over(&r);
}

void ini_document_fini(struct ini_document *document)
{
    for (size_t s = 0; s < document->len; s++) {
        struct ini_section *section = &document->sections[s];
        for (size_t i = 0; i < section->pairs_len; i++) {
            free(section->pairs[i].key);
            free(section->pairs[i].value);
        }
        free(section->pairs);
        free(section->title);
    }
    free(document->sections);
    *document = (struct ini_document){.sections = NULL};
}
