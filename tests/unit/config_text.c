#include "tests/unit/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

enum rc parse2(const char *text, const char *more, const char *environment, struct config **ret,
    struct buf *problems)
{
    struct config_source list[3];
    struct config_sources sources = {.directory = xstrdup("/srv/pool"), .list = list};
    list[sources.len++] =
        (struct config_source){.name = xstrdup("stint.conf"), .text = xstrdup(text)};
    if (more)
        list[sources.len++] =
            (struct config_source){.name = xstrdup("jobs.d/news.conf"), .text = xstrdup(more)};
    if (environment)
        list[sources.len++] =
            (struct config_source){.name = xstrdup("environment"), .text = xstrdup(environment)};
    enum rc rc = config_parse(&sources, ret, problems);
    for (size_t i = 0; i < sources.len; i++) {
        free(list[i].name);
        free(list[i].text);
    }
    free(sources.directory);
    return rc;
}

struct config *good(const char *text)
{
    CLEANUP(buf_fini) struct buf problems = BUF_INIT;
    struct config *config = NULL;
    enum rc rc = parse2(text, NULL, NULL, &config, &problems);
    assert_string_equal(buf_str(&problems), "");
    assert_int_equal(rc, RC_OK);
    return config;
}

void is_wrong(const char *text, const char *problems)
{
    CLEANUP(buf_fini) struct buf found = BUF_INIT;
    struct config *config = NULL;
    enum rc rc = parse2(text, NULL, NULL, &config, &found);
    assert_string_equal(buf_str(&found), problems);
    assert_int_equal(rc, RC_INVALID);
    assert_null(config);
    assert_int_equal(parse2(text, NULL, NULL, &config, NULL), RC_INVALID);
}

uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}
