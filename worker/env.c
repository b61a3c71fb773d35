#include "worker/env.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/ipc/claim.h"
#include "common/ipc/fds.h"

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

enum { WORDS_ALWAYS = 3, WORDS_CONTROL = 1, WORDS_RUN = 3 };

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

/* Does the stage's configuration set this variable? */
static bool is_configured(const struct env *configured, const char *entry)
{
    size_t len = strcspn(entry, "=");
    for (size_t i = 0; i < configured->len; i++) {
        const char *own = configured->list[i].entry;
        if (strncmp(own, entry, len) == 0 && own[len] == '=')
            return true;
    }
    return false;
}

static size_t count_words(const struct handler_words *words)
{
    return WORDS_ALWAYS + (words->has_control ? WORDS_CONTROL : 0) +
           (words->run != NULL ? WORDS_RUN : 0);
}

/* First the words of the attempt (ours), then what the stage's configuration says, then what the
 * pool itself has and neither replaces. */
char **handler_env_new(const struct handler_env *env, const struct handler_words *words)
{
    char claim[CLAIM_TEXT_MAX];
    const struct run *run = words->run;
    const struct env *configured = &words->stage->spec->env;
    const size_t added = count_words(words);
    char **envp =
        xcalloc(added + configured->len + env->len + HANDLER_ENV_SPARE + 1, sizeof(char *));
    char **own = envp + WORDS_ALWAYS, **next = envp + added;
    for (size_t i = 0; i < configured->len; i++)
        *next++ = configured->list[i].entry;
    for (size_t i = 0; i < env->len; i++)
        if (!is_configured(configured, env->inherited[i]))
            *next++ = env->inherited[i];
    envp[0] = xasprintf("STINT_JOB=%s", words->stage->job->spec->name);
    envp[1] = xasprintf("STINT_STAGE=%s", words->stage->spec->name);
    envp[2] = xasprintf("STINT_POOL_ID=%s", env->pool_id);
    if (words->has_control)
        *own++ = xasprintf("STINT_CONTROL_FD=%d", FD_CONTROL);
    if (run == NULL)
        return envp;
    own[0] = xasprintf("STINT_ITEM=%s", run->key);
    own[1] = xasprintf("STINT_ATTEMPT=%lld", (long long)run->state.attempts);
    own[2] = xasprintf("STINT_CLAIM=%s", claim_format(run->claim, claim));
    return envp;
}

void handler_env_free(char **envp, const struct handler_words *words)
{
    if (envp == NULL)
        return;
    for (size_t i = 0; i < count_words(words); i++)
        free(envp[i]);
    free(envp);
}
