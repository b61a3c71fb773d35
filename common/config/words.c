#include "common/config/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"

#define BLANKS " \t\n\r\v\f"

void words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}

static void words_clean(char ***words)
{
    words_free(*words);
}

/* *p at an opening quote; moves behind the closing one. */
static bool take_quoted(const char **p, struct buf *word)
{
    const char quote = *(*p)++;
    for (; **p && **p != quote; (*p)++) {
        if (quote == '"' && **p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
            (*p)++;
        buf_addc(word, **p);
    }
    if (!**p)
        return false;
    (*p)++;
    return true;
}

static bool take_word(const char **p, struct buf *word)
{
    while (**p && !strchr(BLANKS, **p)) {
        if (**p == '\'' || **p == '"') {
            if (!take_quoted(p, word))
                return false;
        } else {
            buf_addc(word, *(*p)++);
        }
    }
    return true;
}

enum rc words_split(const char *text, char ***ret, size_t *ret_len, struct err *err)
{
    /* A text of n bytes has at most n / 2 + 1 words. */
    CLEANUP(words_clean) char **words = xcalloc(strlen(text) / 2 + 2, sizeof(*words));
    size_t len = 0;
    for (const char *p = text + strspn(text, BLANKS); *p; p += strspn(p, BLANKS)) {
        CLEANUP(buf_fini) struct buf word = BUF_INIT;
        if (!take_word(&p, &word))
            return err_set(err, RC_INVALID, "a quote is not closed");
        words[len++] = buf_take(&word);
    }
    if (len == 0)
        return err_set(err, RC_INVALID, "there is no word");
    *ret = TAKE_PTR(words);
    *ret_len = len;
    return RC_OK;
}
