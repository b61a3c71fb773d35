#include "common/filter/filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/filter/fields.h"

#define BLANKS " \t\r\n"
#define OPERATOR_STARTS ":=!<>~"
#define NUMBER_MAX INT64_C(1000000000000000)

/* Where the parser is; every error names a part of text. */
struct reading {
    const char *text;
    size_t at;
    struct filter_fault *fault;
};

/* The longer ones first. */
static const struct {
    const char *text;
    enum filter_op op;
} operators[] = {
    {"!=", FILTER_IS_NOT},
    {">=", FILTER_AT_LEAST},
    {"<=", FILTER_AT_MOST},
    {":", FILTER_IS},
    {"=", FILTER_IS},
    {">", FILTER_MORE},
    {"<", FILTER_LESS},
    {"~", FILTER_CONTAINS},
};

static enum rc blame(struct reading *r, size_t at, size_t len)
{
    r->fault->at = at;
    r->fault->len = len > 0 ? len : 1;
    return RC_INVALID;
}
#define FAULT(r, at, len, ...)                                                                     \
    ((void)err_set(&(r)->fault->what, RC_INVALID, __VA_ARGS__), blame(r, at, len))

static bool is_blank(char c)
{
    return c != '\0' && strchr(BLANKS, c) != NULL;
}

static size_t word_len(const char *text)
{
    bool is_quoted = false;
    size_t n = 0;
    for (; text[n] && (is_quoted || !is_blank(text[n])); n++) {
        if (is_quoted && text[n] == '\\' && text[n + 1])
            n++;
        else if (text[n] == '"')
            is_quoted = !is_quoted;
    }
    return n;
}

static size_t name_len(const char *text)
{
    size_t n = 0;
    while (
        (text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') || text[n] == '_')
        n++;
    return n;
}

/* A word shown in an error: short, and free of control characters. */
static char *shown(const char *text, size_t len)
{
    struct buf out = BUF_INIT;
    bool is_long = len > 48;
    size_t n = is_long ? 44 : len;
    while (is_long && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    text_add_printable(&out, text, n);
    if (is_long)
        buf_adds(&out, "…");
    return buf_take(&out);
}

/* There is one: is_field_word has looked. */
static void take_operator(const char *text, enum filter_op *ret, size_t *ret_len)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t len = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, len) != 0)
            continue;
        *ret = operators[i].op;
        *ret_len = len;
        return;
    }
}

/* ---- values ---- */

/* One value, up to a comma (where those divide), a blank or the end; r->at stands behind it. */
static enum rc read_text(struct reading *r, bool has_commas, char **ret)
{
    CLEANUP(buf_fini) struct buf value = BUF_INIT;
    size_t from = r->at, quote = SIZE_MAX;
    const char *c = r->text + r->at;
    for (; *c; c++) {
        if (quote == SIZE_MAX && (is_blank(*c) || (has_commas && *c == ',')))
            break;
        if (*c == '"') {
            quote = quote == SIZE_MAX ? (size_t)(c - r->text) : SIZE_MAX;
            continue;
        }
        if (quote != SIZE_MAX && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
            c++;
        buf_addc(&value, *c);
    }
    r->at = (size_t)(c - r->text);
    if (quote != SIZE_MAX)
        return FAULT(r, quote, 1, "this quote has no end; it needs a second \"");
    if (r->at == from)
        return FAULT(r, from, 1, "a value is missing here");
    *ret = buf_take(&value);
    return RC_OK;
}

static enum rc check_word(struct reading *r, const struct filter_about *about,
    const char *const *words, size_t from, struct filter_value *value)
{
    size_t len = 0;
    for (; words[len]; len++) {
        if (strcmp(words[len], value->text) == 0) {
            value->number = (int64_t)len;
            return RC_OK;
        }
    }
    CLEANUP_FREE char *word = shown(value->text, strlen(value->text));
    const char *near = text_nearest(value->text, words, len);
    if (near)
        return FAULT(r, from, r->at - from, "unknown %s \"%s\"; did you mean \"%s\"?", about->what,
            word, near);
    CLEANUP(buf_fini) struct buf all = BUF_INIT;
    for (size_t i = 0; i < len; i++)
        buf_addf(&all, "%s%s", i ? ", " : "", words[i]);
    return FAULT(r, from, r->at - from, "unknown %s \"%s\"; there are: %s", about->what, word,
        buf_str(&all));
}

static enum rc check_name(struct reading *r, const struct filter_about *about,
    const struct filter_term *term, size_t from, const struct filter_value *value)
{
    const char *name = value->text;
    if (about->field == FILTER_JOB && name[0] == '@')
        name++;
    if (term->op == FILTER_CONTAINS || text_is_name(name))
        return RC_OK;
    CLEANUP_FREE char *word = shown(value->text, strlen(value->text));
    return FAULT(r, from, r->at - from,
        "\"%s\" is no name of a %s: letters, digits, _ and - only, at most %d", word, about->name,
        NAME_MAX_BYTES);
}

static enum rc check_value(struct reading *r, const struct filter_about *about,
    const struct filter_term *term, size_t from, struct filter_value *value)
{
    struct err why = {""};
    switch (about->type) {
    case FILTER_TYPE_NAME:
        return check_name(r, about, term, from, value);
    case FILTER_TYPE_TEXT:
        return RC_OK;
    case FILTER_TYPE_WORD:
        return check_word(r, about, about->words, from, value);
    case FILTER_TYPE_NUMBER:
        if (text_int(value->text, -NUMBER_MAX, NUMBER_MAX, &value->number, &why))
            return FAULT(
                r, from, r->at - from, "%s takes a whole number: %s", about->name, about->example);
        return RC_OK;
    case FILTER_TYPE_AGE:
        if (text_duration_ms(value->text, &value->number, &why))
            return FAULT(r, from, r->at - from, "%s takes a time with its unit (%s): %s",
                about->name, "ms, s, m, h, d", about->example);
        return RC_OK;
    }
    return RC_BUG;
}

static bool may_be_list(enum filter_op op)
{
    return op == FILTER_IS || op == FILTER_IS_NOT || op == FILTER_CONTAINS;
}

static enum rc read_values(
    struct reading *r, const struct filter_about *about, struct filter_term *term)
{
    for (bool is_more = true; is_more; r->at += is_more) {
        size_t from = r->at;
        char *text = NULL;
        enum rc rc = read_text(r, true, &text);
        if (rc)
            return rc;
        term->values = xrealloc(term->values, (term->values_len + 1) * sizeof(*term->values));
        struct filter_value *value = &term->values[term->values_len++];
        *value = (struct filter_value){.text = text};
        rc = check_value(r, about, term, from, value);
        if (rc)
            return rc;
        is_more = r->text[r->at] == ',';
        if (is_more && !may_be_list(term->op))
            return FAULT(r, r->at, 1, "a list of alternatives goes with : = != ~ only");
        if (is_more && term->values_len == FILTER_VALUES_MAX)
            return FAULT(r, r->at, 1, "at most %d alternatives", FILTER_VALUES_MAX);
    }
    return RC_OK;
}

/* ---- words ---- */

/* An abbreviation means the whole word, before any that is spelt alike. */
static const char *nearest(const char *word, const char *const *words, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (word[0] && strncmp(words[i], word, strlen(word)) == 0)
            return words[i];
    return text_nearest(word, words, len);
}

static enum rc unknown_field(struct reading *r, size_t at, size_t len)
{
    CLEANUP_FREE char *word = shown(r->text + at, len);
    CLEANUP_FREE char *name = xstrndup(r->text + at, len);
    const char *names[FILTER_FIELDS];
    CLEANUP(buf_fini) struct buf all = BUF_INIT;
    for (int i = 0; i < FILTER_FIELDS; i++) {
        names[i] = filter_field_name((enum filter_field)i);
        buf_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = nearest(name, names, FILTER_FIELDS);
    if (near)
        return FAULT(r, at, len, "unknown field \"%s\"; did you mean \"%s\"?", word, near);
    CLEANUP_FREE char *key = shown(r->text + at, word_len(r->text + at));
    return FAULT(r, at, len, "unknown field \"%s\"; there are: %s. Meant as a key: key:%s", word,
        buf_str(&all), key);
}

static enum rc read_field(struct reading *r, size_t len, struct filter_term *term)
{
    size_t from = r->at, op_len = 0;
    const struct filter_about *about = filter_about(r->text + from, len);
    if (!about)
        return unknown_field(r, from, len);
    take_operator(r->text + from + len, &term->op, &op_len);
    if (!(about->ops & 1u << term->op))
        return FAULT(r, from + len, op_len, "%s does not take %.*s; it takes %s, as in %s",
            about->name, (int)op_len, r->text + from + len, about->takes, about->example);
    if (about->field == FILTER_ERROR && term->op == FILTER_IS && r->text[from + len] == ':')
        term->op = FILTER_CONTAINS; /* nobody types the whole of an error */
    term->field = about->field;
    r->at = from + len + op_len;
    return read_values(r, about, term);
}

/* An unquoted key that looks like something else is asked about: nothing is guessed. */
static enum rc check_key(struct reading *r, size_t from, const char *key)
{
    if (r->text[from] == '"')
        return RC_OK;
    size_t len = r->at - from;
    const struct filter_about *about = filter_about(r->text + from, len);
    const struct filter_about *status = filter_about("status", strlen("status"));
    if (about)
        return FAULT(r, from, len, "%s needs an operator and a value, without blanks: %s",
            about->name, about->example);
    for (size_t i = 0; status->words[i]; i++)
        if (strcmp(key, status->words[i]) == 0)
            return FAULT(r, from, len,
                "a word alone is a key; did you mean status:%s? (else key:%s)", key, key);
    return RC_OK;
}

static enum rc read_key(struct reading *r, struct filter_term *term)
{
    size_t from = r->at;
    char *key = NULL;
    if (strchr(OPERATOR_STARTS, r->text[from]))
        return FAULT(r, from, strspn(r->text + from, OPERATOR_STARTS),
            "an operator without a field before it; write attempts>=3 without blanks, and a key in "
            "quotes of its own: \"…\"");
    enum rc rc = read_text(r, false, &key);
    if (rc)
        return rc;
    term->field = FILTER_KEY;
    term->op = FILTER_IS;
    term->values = xcalloc(1, sizeof(*term->values));
    term->values[term->values_len++] = (struct filter_value){.text = key};
    return check_key(r, from, key);
}

static bool is_field_word(const char *text, size_t *ret_name_len)
{
    size_t n = name_len(text);
    *ret_name_len = n;
    if (n == 0 || text[n] == '\0' || (text[n] == '!' && text[n + 1] != '='))
        return false;
    return strchr(OPERATOR_STARTS, text[n]) != NULL && strncmp(text + n, "://", 3) != 0;
}

static enum rc read_word(struct reading *r, struct filter_term *term)
{
    size_t len = 0;
    term->at = r->at;
    term->len = word_len(r->text + r->at);
    if (r->text[r->at] == '-') {
        term->is_negated = true;
        r->at++;
        if (!r->text[r->at] || is_blank(r->text[r->at]))
            return FAULT(r, term->at, 1, "- negates the word behind it, without a blank");
    }
    if (is_field_word(r->text + r->at, &len))
        return read_field(r, len, term);
    return read_key(r, term);
}

enum rc filter_parse(const char *text, struct filter *ret, struct filter_fault *fault)
{
    CLEANUP(filter_fini) struct filter filter = FILTER_INIT;
    struct reading r = {.text = text, .fault = fault};
    for (;;) {
        r.at += strspn(text + r.at, BLANKS);
        if (!text[r.at])
            break;
        if (filter.len == FILTER_TERMS_MAX)
            return FAULT(&r, r.at, word_len(text + r.at), "at most %d words", FILTER_TERMS_MAX);
        filter.terms = xrealloc(filter.terms, (filter.len + 1) * sizeof(*filter.terms));
        filter.terms[filter.len] = (struct filter_term){.values = NULL};
        enum rc rc = read_word(&r, &filter.terms[filter.len++]);
        if (rc)
            return rc;
    }
    *ret = filter;
    filter = (struct filter)FILTER_INIT;
    return RC_OK;
}

void filter_fini(struct filter *filter)
{
    for (size_t i = 0; i < filter->len; i++) {
        for (size_t k = 0; k < filter->terms[i].values_len; k++)
            free(filter->terms[i].values[k].text);
        free(filter->terms[i].values);
    }
    free(filter->terms);
    *filter = (struct filter)FILTER_INIT;
}

bool filter_has(const struct filter *filter, enum filter_field field)
{
    for (size_t i = 0; i < filter->len; i++)
        if (filter->terms[i].field == field)
            return true;
    return false;
}

const struct filter_term *filter_exactly(const struct filter *filter, enum filter_field field)
{
    for (size_t i = 0; i < filter->len; i++) {
        const struct filter_term *term = &filter->terms[i];
        if (term->field == field && term->op == FILTER_IS && !term->is_negated &&
            term->values_len == 1)
            return term;
    }
    return NULL;
}

bool filter_is_negated(const char *text)
{
    size_t len;
    return text[0] == '-' && is_field_word(text + 1, &len) && filter_about(text + 1, len);
}

void filter_without(const struct filter *filter, const char *text, uint32_t fields, struct buf *out)
{
    for (size_t i = 0; i < filter->len; i++) {
        const struct filter_term *term = &filter->terms[i];
        if (fields >> term->field & 1u)
            continue;
        if (out->len > 0)
            buf_addc(out, ' ');
        buf_add(out, text + term->at, term->len);
    }
}
