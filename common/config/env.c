#include "common/config/env.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/config/options.h"
#include "common/config/secrets.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define OWN_PREFIX "STINT_"

static enum rc check_name(const char *name, struct err *err)
{
    if (!*name || !strchr(LETTERS, *name) || name[strspn(name, LETTERS "0123456789")])
        return err_set(err, RC_INVALID,
            "\"%.80s\" is no name of a variable; expected letters, digits and _, no digit first",
            name);
    if (strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
        return err_set(err, RC_INVALID,
            "names that begin with " OWN_PREFIX " are stint's own; take another one");
    return RC_OK;
}

/* "@flie:keys/api" must not become the value. What follows the word is not shown. */
static enum rc check_literal(const char *value, struct err *err)
{
    static const char *const words[] = {"file", "cred"};
    if (value[0] != '@' || value[1] == '@')
        return RC_OK;
    size_t len = strcspn(value + 1, ": \t\n");
    CLEANUP_FREE char *word = xstrndup(value + 1, len);
    for (char *p = word; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    const char *near = text_nearest(word, words, sizeof(words) / sizeof(words[0]));
    if (near)
        return err_set(err, RC_INVALID,
            "\"@%.20s\" is no kind of secret; did you mean \"@%s:\"? a text that begins with @ is "
            "written with two: @@…",
            word, near);
    return err_set(err, RC_INVALID,
        "a value that begins with @ names a secret, @file:PATH or @cred:NAME; a text that begins "
        "with @ is written with two: @@…");
}

/* A value that goes on in the next line has a blank there, as everywhere. */
static char *entry_of(const char *name, const char *value, bool is_secret)
{
    char *entry = xasprintf("%s=%s", name, value);
    for (char *p = entry; *p && !is_secret; p++) {
        if (*p == '\n')
            *p = ' ';
    }
    return entry;
}

static enum rc take_secret(struct env_var *var, const char *name, const char *reference,
    const struct config_sources *sources, struct err *err)
{
    const struct config_secret *secret = secret_find(sources, reference);
    if (!secret)
        return err_set(err, RC_INVALID, "the secret %.200s was not read", reference);
    if (secret->error && !(secret->is_unknown && sources->is_lenient))
        return err_set(err, RC_INVALID, "%s", secret->error);
    var->reference = xstrdup(reference);
    var->is_unknown = secret->error != NULL;
    var->entry = entry_of(name, secret->value ? secret->value : "", true);
    return RC_OK;
}

static void var_fini(struct env_var *var)
{
    free(var->entry);
    free(var->key);
    free(var->reference);
    free(var->origin.template);
    *var = (struct env_var){.entry = NULL};
}

/* The place of this key, an empty one if there is none. */
static struct env_var *place_of(struct env *env, const char *key)
{
    for (size_t i = 0; i < env->len; i++) {
        if (strcmp(env->list[i].key, key) == 0)
            return &env->list[i];
    }
    env->list = xrealloc(env->list, (env->len + 1) * sizeof(*env->list));
    env->list[env->len] = (struct env_var){.entry = NULL};
    return &env->list[env->len++];
}

enum rc env_set(struct env *env, const struct ini_pair *pair, const struct config_sources *sources,
    const struct origin *origin, struct err *err)
{
    const char *name = pair->key + strlen(ENV_PREFIX);
    struct env_var var = {.entry = NULL};
    enum rc rc = check_name(name, err);
    if (rc != RC_OK)
        return rc;
    if (env->len == ENV_LEN_MAX)
        return err_set(
            err, RC_INVALID, "is one variable too many; at most %d a stage", ENV_LEN_MAX);
    if (secret_is_reference(pair->value))
        rc = take_secret(&var, name, pair->value, sources, err);
    else
        rc = check_literal(pair->value, err);
    if (rc != RC_OK)
        return rc;
    if (!var.entry)
        var.entry = entry_of(name, pair->value + (pair->value[0] == '@'), false);
    var.key = xstrdup(pair->key);
    var.origin = *origin;
    var.origin.key = var.key;
    var.origin.template = origin->template ? xstrdup(origin->template) : NULL;
    struct env_var *place = place_of(env, var.key);
    var_fini(place);
    *place = var;
    return RC_OK;
}

static char *copy_of(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

void env_copy(struct env *to, const struct env *from)
{
    to->list = xcalloc(from->len ? from->len : 1, sizeof(*to->list));
    to->len = from->len;
    for (size_t i = 0; i < from->len; i++) {
        const struct env_var *var = &from->list[i];
        to->list[i] = *var;
        to->list[i].entry = xstrdup(var->entry);
        to->list[i].key = xstrdup(var->key);
        to->list[i].reference = copy_of(var->reference);
        to->list[i].origin.key = to->list[i].key;
        to->list[i].origin.template = copy_of(var->origin.template);
    }
}

void env_fini(struct env *env)
{
    for (size_t i = 0; i < env->len; i++)
        var_fini(&env->list[i]);
    free(env->list);
    *env = (struct env){.list = NULL};
}
