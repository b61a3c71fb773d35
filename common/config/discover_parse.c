#include "common/config/discover_parse.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/words.h"

#define BLANKS " \t\n"

static const char *const kinds[] = {
    [DISCOVER_MANUAL] = "manual",
    [DISCOVER_LIST] = "list",
    [DISCOVER_GLOB] = "glob",
    [DISCOVER_EXEC] = "exec",
};
static const char *const arguments[] = {
    [DISCOVER_MANUAL] = NULL,
    [DISCOVER_LIST] = "a file",
    [DISCOVER_GLOB] = "a pattern",
    [DISCOVER_EXEC] = "a command",
};
#define KINDS_LEN (sizeof(kinds) / sizeof(kinds[0]))

const char *discover_kind_name(enum discover_kind kind)
{
    return kind < KINDS_LEN ? kinds[kind] : "?";
}

enum rc discover_parse(const char *text, struct job_spec *job, struct err *err)
{
    size_t len = strcspn(text, BLANKS), kind = 0;
    const char *arg = text + len + strspn(text + len, BLANKS);
    CLEANUP_FREE char *word = xstrndup(text, len);
    while (kind < KINDS_LEN && strcmp(word, kinds[kind]) != 0)
        kind++;
    if (kind == KINDS_LEN) {
        const char *near = text_nearest(word, kinds, KINDS_LEN);
        return near ? err_set(err, RC_INVALID, "unknown strategy \"%.60s\"; did you mean \"%s\"?",
                          word, near)
                    : err_set(err, RC_INVALID, "unknown strategy \"%.60s\"", word);
    }
    if (arguments[kind] && !*arg)
        return err_set(err, RC_INVALID, "%s needs %s", word, arguments[kind]);
    if (!arguments[kind] && *arg)
        return err_set(err, RC_INVALID, "%s takes no arguments", word);
    if (kind == DISCOVER_EXEC) { /* split by the discoverer; here only to tell of an open quote */
        char **words;
        size_t words_len;
        enum rc rc = words_split(arg, &words, &words_len, err);
        if (rc != RC_OK)
            return rc;
        words_free(words);
    }
    free(job->discover_arg);
    job->discover = (enum discover_kind)kind;
    job->discover_arg = xstrdup(arg);
    return RC_OK;
}
