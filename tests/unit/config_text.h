/* config_text: parses texts as if they were the files of a configuration in /srv/pool. */
#ifndef STINT_TESTS_CONFIG_TEXT_H
#define STINT_TESTS_CONFIG_TEXT_H

#include <stdlib.h>

#include "common/config/parse.h"

/* stint.conf, jobs.d/news.conf and the environment; the latter two may be NULL. */
static inline enum rc parse2(const char *text, const char *more, const char *environment,
    struct config **ret, struct buf *problems)
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

#endif
