#include "worker/env.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/ipc/claim.h"

/* A name that ends in * stands for all that begin so. STINT_CRASH_… passes: torture tests aim at
 * our own programs among the handlers. */
static const char *const withheld[] = {
    "STINT_POOL_*",
    "STINT_JOB",
    "STINT_ITEM",
    "STINT_STAGE",
    "STINT_ATTEMPT",
    "STINT_CLAIM",
    "STINT_CONTROL_FD",
    "NOTIFY_SOCKET",
    "WATCHDOG_*",
    "LISTEN_*",
};

enum { ADDED = 6 };

static bool is_withheld(const char *entry)
{
    for (size_t i = 0; i < sizeof(withheld) / sizeof(withheld[0]); i++) {
        size_t len = strcspn(withheld[i], "*");
        if (strncmp(entry, withheld[i], len) == 0 && (withheld[i][len] == '*' || entry[len] == '='))
            return true;
    }
    return false;
}

void handler_env_init(struct handler_env *env, char **environment, const char *pool_id)
{
    size_t n = 0;
    while (environment[n] != NULL)
        n++;
    *env = (struct handler_env){.inherited = xcalloc(n + 1, sizeof(char *)), .pool_id = pool_id};
    for (size_t i = 0; i < n; i++)
        if (!is_withheld(environment[i]))
            env->inherited[env->len++] = environment[i];
}

void handler_env_fini(struct handler_env *env)
{
    free(env->inherited);
    *env = (struct handler_env){0};
}

char **handler_env_new(
    const struct handler_env *env, const struct run *run, const struct catalog_stage *stage)
{
    char claim[CLAIM_TEXT_MAX];
    char **envp = xcalloc(env->len + ADDED + 1, sizeof(char *));
    memcpy(envp, env->inherited, env->len * sizeof(char *));
    char **own = envp + env->len;
    own[0] = xasprintf("STINT_JOB=%s", stage->job->spec->name);
    own[1] = xasprintf("STINT_ITEM=%s", run->key);
    own[2] = xasprintf("STINT_STAGE=%s", stage->spec->name);
    own[3] = xasprintf("STINT_ATTEMPT=%lld", (long long)run->state.attempts);
    own[4] = xasprintf("STINT_CLAIM=%s", claim_format(run->claim, claim));
    own[5] = xasprintf("STINT_POOL_ID=%s", env->pool_id);
    return envp;
}

void handler_env_free(const struct handler_env *env, char **envp)
{
    if (envp == NULL)
        return;
    for (int i = 0; i < ADDED; i++)
        free(envp[env->len + (size_t)i]);
    free(envp);
}
