#include "common/config/handler_parse.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/words.h"

#define BLANKS " \t\n"

static const char *const kinds[] = {
    [HANDLER_EXEC] = "exec",
    [HANDLER_SHELL] = "shell",
    [HANDLER_RESIDENT] = "resident",
    [HANDLER_PLUGIN] = "plugin",
    [HANDLER_BUILTIN] = "builtin",
};
/* discover is stint's own: only the hidden job @discover has it. */
static const char *const builtins[] = {
    [BUILTIN_NOOP] = "noop",
    [BUILTIN_SLEEP] = "sleep",
    [BUILTIN_FAIL] = "fail",
};
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The place of the first word of text among words; n: none. *ret_rest: what follows the word. */
static size_t first_word(
    const char *text, const char *const *words, size_t n, const char **ret_rest)
{
    size_t len = strcspn(text, BLANKS);
    *ret_rest = text + len + strspn(text + len, BLANKS);
    size_t i = 0;
    while (i < n && (strncmp(text, words[i], len) != 0 || words[i][len]))
        i++;
    return i;
}

static enum rc unknown(
    const char *what, const char *text, const char *const *words, size_t n, struct err *err)
{
    char *word = xstrndup(text, strcspn(text, BLANKS));
    const char *near = text_nearest(word, words, n);
    enum rc rc = near ? err_set(err, RC_INVALID, "unknown %s \"%.60s\"; did you mean \"%s\"?", what,
                            word, near)
                      : err_set(err, RC_INVALID, "unknown %s \"%.60s\"", what, word);
    free(word);
    return rc;
}

static enum rc parse_program(const char *kind, const char *rest, struct handler *h, struct err *err)
{
    size_t len;
    if (!*rest)
        return err_set(err, RC_INVALID, "%s needs a program", kind);
    enum rc rc = words_split(rest, &h->argv, &len, err);
    if (rc == RC_OK && !h->argv[0][0])
        return err_set(err, RC_INVALID, "the program's name is empty");
    return rc;
}

/* Who hosts it is found when it starts. */
static enum rc parse_plugin(const char *rest, struct handler *h, struct err *err)
{
    CLEANUP_FREE char *words = xasprintf("stint-plugin %s", rest);
    if (!*rest)
        return err_set(err, RC_INVALID, "plugin needs a file, like plugin ./fetch.so");
    return parse_program("plugin", words, h, err);
}

static enum rc parse_shell(const char *rest, struct handler *h, struct err *err)
{
    if (!*rest)
        return err_set(err, RC_INVALID, "shell needs a command");
    h->argv = xcalloc(4, sizeof(*h->argv));
    h->argv[0] = xstrdup("/bin/sh");
    h->argv[1] = xstrdup("-c");
    h->argv[2] = xstrdup(rest);
    return RC_OK;
}

static enum rc parse_builtin(const char *text, struct handler *h, struct err *err)
{
    const char *rest;
    size_t which = first_word(text, builtins, COUNT_OF(builtins), &rest);
    if (which >= COUNT_OF(builtins))
        return unknown("builtin", text, builtins, COUNT_OF(builtins), err);
    h->builtin = (enum builtin)which;
    switch (h->builtin) {
    case BUILTIN_SLEEP:
        if (!*rest)
            return err_set(err, RC_INVALID, "builtin sleep needs a duration, like sleep 1s");
        return text_duration_ms(rest, &h->builtin_ms, err);
    case BUILTIN_FAIL:
        h->builtin_arg = xstrdup(*rest ? rest : "failed by configuration");
        return RC_OK;
    case BUILTIN_NOOP:
    case BUILTIN_DISCOVER:
        break;
    }
    if (*rest)
        return err_set(err, RC_INVALID, "builtin noop takes no arguments");
    return RC_OK;
}

static enum rc parse_kind(const char *text, struct handler *h, struct err *err)
{
    const char *rest;
    size_t kind = first_word(text, kinds, COUNT_OF(kinds), &rest);
    if (kind >= COUNT_OF(kinds))
        return unknown("kind of handler", text, kinds, COUNT_OF(kinds), err);
    h->kind = (enum handler_kind)kind;
    switch (h->kind) {
    case HANDLER_EXEC:
    case HANDLER_RESIDENT:
        return parse_program(kinds[kind], rest, h, err);
    case HANDLER_PLUGIN:
        return parse_plugin(rest, h, err);
    case HANDLER_SHELL:
        return parse_shell(rest, h, err);
    case HANDLER_BUILTIN:
        return parse_builtin(rest, h, err);
    }
    return RC_BUG;
}

enum rc handler_parse(const char *text, struct handler *ret, struct err *err)
{
    struct handler h = {.text = xstrdup(text)};
    enum rc rc = parse_kind(text, &h, err);
    if (rc == RC_OK)
        *ret = h;
    else
        handler_fini(&h);
    return rc;
}

void handler_fini(struct handler *handler)
{
    free(handler->text);
    words_free(handler->argv);
    free(handler->builtin_arg);
    *handler = (struct handler){.text = NULL};
}
