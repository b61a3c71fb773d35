#include "cli/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/text.h"

#define NAMES_MAX 64

const struct flag *args_find(
    const struct flag *const *sets, size_t sets_len, const char *name, size_t len)
{
    for (size_t i = 0; i < sets_len; i++)
        for (const struct flag *f = sets[i]; f && f->name; f++)
            if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
                return f;
    return NULL;
}

static const struct flag *find_letter(const struct flag *const *sets, size_t sets_len, char letter)
{
    for (size_t i = 0; i < sets_len; i++)
        for (const struct flag *f = sets[i]; f && f->name; f++)
            if (f->letter == letter)
                return f;
    return NULL;
}

/* "-" alone is a word (standard input); so is everything that does not begin with a dash. */
static bool is_option(const char *arg)
{
    return arg[0] == '-' && arg[1] != '\0';
}

bool args_takes_next(const char *arg, const struct flag *const *sets, size_t sets_len)
{
    if (arg[1] == '-') {
        const struct flag *f = args_find(sets, sets_len, arg + 2, strlen(arg + 2));
        return f && f->value;
    }
    for (const char *c = arg + 1; *c; c++) {
        const struct flag *f = find_letter(sets, sets_len, *c);
        if (f && f->value)
            return c[1] == '\0';
    }
    return false;
}

int args_first_word(int argc, char **argv, const struct flag *const *sets, size_t sets_len)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return i + 1 < argc ? i + 1 : argc;
        if (!is_option(argv[i]))
            return i;
        if (args_takes_next(argv[i], sets, sets_len))
            i++;
    }
    return argc;
}

static enum rc unknown_name(const struct args *args, const char *name, size_t len, struct err *err)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < args->sets_len; i++)
        for (const struct flag *f = args->sets[i]; f && f->name && n < NAMES_MAX; f++)
            names[n++] = f->name;
    char word[64];
    size_t keep = len < sizeof(word) - 1 ? len : sizeof(word) - 1;
    memcpy(word, name, keep);
    word[keep] = '\0';
    const char *near = text_nearest(word, names, n);
    if (near)
        return err_set(err, RC_INVALID, "unknown option --%s; did you mean --%s?", word, near);
    return err_set(err, RC_INVALID, "unknown option --%s", word);
}

static enum rc read_word(const struct flag *f, const char *text, int64_t *ret, struct err *err)
{
    struct buf all = BUF_INIT;
    for (size_t i = 0; f->words[i]; i++) {
        if (strcmp(f->words[i], text) == 0) {
            *ret = (int64_t)i;
            buf_fini(&all);
            return RC_OK;
        }
        buf_addf(&all, "%s%s", i ? ", " : "", f->words[i]);
    }
    enum rc rc =
        err_set(err, RC_INVALID, "--%s: \"%.60s\" is none of: %s", f->name, text, buf_str(&all));
    buf_fini(&all);
    return rc;
}

static enum rc read_value(const struct flag *f, const char *text, int64_t *ret, struct err *err)
{
    enum rc rc = RC_OK;
    switch (f->type) {
    case FLAG_BOOL:
    case FLAG_TEXT:
        return RC_OK;
    case FLAG_WORD:
        return read_word(f, text, ret, err);
    case FLAG_INT:
        rc = text_int(text, f->min, f->max, ret, err);
        break;
    case FLAG_DURATION:
        rc = text_duration_ms(text, ret, err);
        break;
    }
    if (rc)
        return err_prefix(err, rc, "--%s", f->name);
    return RC_OK;
}

static enum rc give(struct args *args, const struct flag *f, const char *text, struct err *err)
{
    int64_t number = 0;
    if (args->given_len == ARGS_GIVEN_MAX)
        return err_set(err, RC_INVALID, "more than %d options", ARGS_GIVEN_MAX);
    if (f->value && !text)
        return err_set(err, RC_INVALID, "--%s needs a value: --%s %s", f->name, f->name, f->value);
    if (!f->value && text)
        return err_set(err, RC_INVALID, "--%s takes no value", f->name);
    if (text) {
        enum rc rc = read_value(f, text, &number, err);
        if (rc)
            return rc;
    }
    args->given[args->given_len].flag = f;
    args->given[args->given_len].text = text;
    args->given[args->given_len].number = number;
    args->given_len++;
    return RC_OK;
}

/* The walk over argv: what is next. */
struct walk {
    char **argv;
    int argc, at;
};

static const char *next_arg(struct walk *w)
{
    w->at++;
    return w->at < w->argc ? w->argv[w->at] : NULL;
}

static enum rc read_long(struct args *args, struct walk *w, const char *arg, struct err *err)
{
    const char *name = arg + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *f = args_find(args->sets, args->sets_len, name, len);
    if (!f)
        return unknown_name(args, name, len, err);
    const char *value = equals ? equals + 1 : NULL;
    if (f->value && !value)
        value = next_arg(w);
    return give(args, f, value, err);
}

/* Where words may begin with a dash, this one may be meant so. */
static enum rc unknown_letter(
    const struct args *args, const char *arg, const char *c, struct err *err)
{
    struct buf shown = BUF_INIT, letter = BUF_INIT;
    size_t len = text_utf8_step(c, strlen(c));
    text_add_printable(&letter, c, len ? len : 1);
    text_add_printable(&shown, arg, strlen(arg));
    enum rc rc =
        args->is_word
            ? err_set(err, RC_INVALID,
                  "unknown option -%s in \"%.80s\"; a word of the filter that begins with - "
                  "stands behind --, as in: -- '%.80s'",
                  buf_str(&letter), buf_str(&shown), buf_str(&shown))
            : err_set(err, RC_INVALID, "unknown option -%s", buf_str(&letter));
    buf_fini(&letter);
    buf_fini(&shown);
    return rc;
}

static enum rc read_letters(struct args *args, struct walk *w, const char *arg, struct err *err)
{
    for (const char *c = arg + 1; *c; c++) {
        const struct flag *f = find_letter(args->sets, args->sets_len, *c);
        if (!f)
            return unknown_letter(args, arg, c, err);
        if (!f->value) {
            enum rc rc = give(args, f, NULL, err);
            if (rc)
                return rc;
            continue;
        }
        return give(args, f, c[1] ? c + 1 : next_arg(w), err);
    }
    return RC_OK;
}

enum rc args_parse(int argc, char **argv, const struct flag *const *sets, size_t sets_len,
    struct args *ret, struct err *err)
{
    struct walk w = {.argv = argv, .argc = argc, .at = 0};
    *ret = (struct args){.is_word = ret->is_word};
    ret->sets = sets;
    ret->sets_len = sets_len;
    ret->words = xcalloc((size_t)argc + 1, sizeof(char *));
    bool is_rest = false;
    const char *arg;
    while ((arg = next_arg(&w))) {
        enum rc rc = RC_OK;
        if (!is_rest && strcmp(arg, "--") == 0)
            is_rest = true;
        else if (is_rest || !is_option(arg) || (ret->is_word && ret->is_word(arg)))
            ret->words[ret->words_len++] = argv[w.at];
        else if (arg[1] == '-')
            rc = read_long(ret, &w, arg, err);
        else
            rc = read_letters(ret, &w, arg, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

void args_fini(struct args *args)
{
    if (!args)
        return;
    free(args->words);
    args->words = NULL;
    args->words_len = 0;
}

/* Index of the last time it was given; given_len when it was not. */
static size_t find_given(const struct args *args, const char *name)
{
    assert(args_find(args->sets, args->sets_len, name, strlen(name)));
    for (size_t i = args->given_len; i > 0; i--)
        if (strcmp(args->given[i - 1].flag->name, name) == 0)
            return i - 1;
    return args->given_len;
}

bool args_has(const struct args *args, const char *name)
{
    return find_given(args, name) < args->given_len;
}

const char *args_text(const struct args *args, const char *name)
{
    size_t i = find_given(args, name);
    return i < args->given_len ? args->given[i].text : NULL;
}

int64_t args_number(const struct args *args, const char *name, int64_t preset)
{
    size_t i = find_given(args, name);
    return i < args->given_len ? args->given[i].number : preset;
}
