#include "worker/discover/strategy.h"

#include <string.h>

#include "common/base/text.h"
#include "common/config/discover_parse.h"
#include "worker/discover/exec.h"
#include "worker/discover/glob.h"
#include "worker/discover/list.h"

static const char *const no_options[] = {NULL};
static const char *const list_options[] = {"format", "key", NULL};
static const char *const exec_options[] = {"key", NULL};

static const struct strategy strategies[] = {
    {DISCOVER_MANUAL, no_options, NULL},
    {DISCOVER_LIST, list_options, list_strategy},
    {DISCOVER_GLOB, no_options, glob_strategy},
    {DISCOVER_EXEC, exec_options, exec_strategy},
};

const struct strategy *strategy_of(enum discover_kind kind)
{
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++)
        if (strategies[i].kind == kind)
            return &strategies[i];
    return NULL;
}

static bool is_known(const struct strategy *strategy, const char *key, size_t *ret_len)
{
    size_t n = 0;
    bool is_found = false;
    for (; strategy->options[n]; n++)
        is_found = is_found || strcmp(strategy->options[n], key) == 0;
    *ret_len = n;
    return is_found;
}

enum rc strategy_check(const struct strategy *strategy, const struct job_spec *job, struct err *err)
{
    for (size_t i = 0; i < job->discover_options_len; i++) {
        const char *key = job->discover_options[i].key;
        size_t len;
        if (is_known(strategy, key, &len))
            continue;
        const char *near = text_nearest(key, strategy->options, len);
        if (!near)
            return err_set(err, RC_INVALID,
                "[job %s]: discover = %s has no option discover.%s; "
                "remove the line",
                job->name, discover_kind_name(strategy->kind), key);
        return err_set(err, RC_INVALID,
            "[job %s]: discover = %s has no option discover.%s; did "
            "you mean discover.%s?",
            job->name, discover_kind_name(strategy->kind), key, near);
    }
    return RC_OK;
}
